// The web tier: answers requests with the files below a root. One Site a core, made by the one SiteMaker of a
// configuration.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/log.h"
#include "core/random.h"
#include "core/result.h"
#include "http/local_answer.h"
#include "runtime/descriptor.h"
#include "web/config.h"
#include "web/file_answer.h"
#include "web/file_cache.h"
#include "web/file_path.h"

namespace web {

// Answers requests from one core's cache of files. What it describes is kept by LocalAnswer::owner, so it may
// be sent after the Site is gone.
class Site final : public http::LocalHandler {
public:
    // `log` must outlive the site. `root`: see SiteRoot.
    Site(Config config, core::Log& log, uint64_t boundary_seed, runtime::Descriptor root = {});

    // Empties `answer` first, so that one may be used again and keeps its memory. A file in memory is
    // answered without an allocation; one that is sent from the disk needs room for one element in
    // `answer.parts`.
    [[nodiscard]] http::LocalVerdict handle(const http::LocalRequest& request, http::LocalAnswer& answer)
        override;

    // The error page of the status, if there is one and it can be read.
    [[nodiscard]] bool describe_error(uint16_t status, core::Instant now, http::LocalAnswer& answer) override;

    void note_unreadable(const http::SentFile& file, int code, core::Instant now) override {
        files_.report_unreadable(file.name, code, now);
    }

    void release_descriptors() override { files_.release_files(); }

private:
    // The outcome of one step; none: the next one is tried.
    using StepVerdict = std::optional<http::LocalVerdict>;

    StepVerdict try_step(
        const TryStep& step,
        const FilePath& path,
        const http::LocalRequest& request,
        http::LocalAnswer& answer
    );
    StepVerdict try_directory(
        const FilePath& path,
        const http::LocalRequest& request,
        http::LocalAnswer& answer
    );
    StepVerdict try_file(
        std::string_view relative,
        const http::LocalRequest& request,
        http::LocalAnswer& answer
    );
    http::LocalVerdict conclude(
        LoadedFile file,
        const http::LocalRequest& request,
        http::LocalAnswer& answer
    );
    static http::LocalVerdict redirect(const http::LocalRequest& request, http::LocalAnswer& answer);
    http::LocalVerdict refuse(
        uint16_t status,
        std::string_view reason,
        core::Instant now,
        http::LocalAnswer& answer
    );

    Config config_;
    FileCache files_;
    core::Random boundaries_;
    PathBuffer decoded_;  // the request's path
    PathBuffer joined_;   // with an ending or an index behind it
};

// Makes the sites of one configuration, one a core.
class SiteMaker final : public http::LocalHandlerMaker {
public:
    // `boundary_seed`: entropy for the boundaries of multipart answers. `log` must outlive the maker and its
    // sites. Opens the root, which the sites keep, by the rights that we have now. Errors: those of
    // check_site() (site_check.h).
    [[nodiscard]] static core::Result<std::unique_ptr<SiteMaker>> create(
        Config config,
        core::Log& log,
        uint64_t boundary_seed
    );

    [[nodiscard]] const Config& config() const { return config_; }

    [[nodiscard]] std::unique_ptr<http::LocalHandler> make() const override;

private:
    SiteMaker(Config config, core::Log& log, uint64_t boundary_seed);

    Config config_;
    core::Log& log_;
    uint64_t boundary_seed_;
    runtime::Descriptor root_;
};

}  // namespace web

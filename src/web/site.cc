#include "web/site.h"

#include <algorithm>
#include <utility>

#include "core/panic.h"
#include "web/site_check.h"

namespace web {
namespace {

using http::LocalOutcome;

void empty(http::LocalAnswer& answer) {
    answer.status = 0;
    answer.shared_fields = {};
    answer.made_fields.clear();
    answer.shared_body = {};
    answer.made_body.clear();
    answer.file = {};
    answer.parts.clear();
    answer.owner.reset();
}

bool is_read(http::Method method) { return method == http::Method::get || method == http::Method::head; }

}  // namespace

Site::Site(Config config, core::Log& log, uint64_t boundary_seed, runtime::Descriptor root)
    : config_(std::move(config)), files_(config_, log, std::move(root)), boundaries_(boundary_seed) {}

http::LocalVerdict Site::handle(const http::LocalRequest& request, http::LocalAnswer& answer) {
    empty(answer);
    const FilePath path = read_file_path(request.path, config_.hidden, decoded_);
    for (const TryStep& step : config_.try_files) {
        if (const StepVerdict verdict = try_step(step, path, request, answer)) {
            return *verdict;
        }
    }
    return refuse(404, "no such file", request.now, answer);
}

Site::StepVerdict Site::try_step(
    const TryStep& step,
    const FilePath& path,
    const http::LocalRequest& request,
    http::LocalAnswer& answer
) {
    switch (step.kind) {
        case TryStep::Kind::path:
            if (!path.reason.empty() || path.relative.empty() || path.ends_with_slash) {
                return std::nullopt;
            }
            if (step.text.empty()) {
                return try_file(path.relative, request, answer);
            }
            joined_.clear();
            if (!joined_.append(path.relative) || !joined_.append(step.text)) {
                return std::nullopt;
            }
            return try_file(joined_.text(), request, answer);
        case TryStep::Kind::directory: return try_directory(path, request, answer);
        case TryStep::Kind::file: return try_file(std::string_view(step.text).substr(1), request, answer);
        case TryStep::Kind::status:
            return refuse(
                step.status,
                path.reason.empty() ? "no such file" : path.reason,
                request.now,
                answer
            );
        case TryStep::Kind::app: return http::LocalVerdict{.outcome = LocalOutcome::passed};
    }
    return std::nullopt;
}

Site::StepVerdict Site::try_directory(
    const FilePath& path,
    const http::LocalRequest& request,
    http::LocalAnswer& answer
) {
    if (!path.reason.empty()) {
        return std::nullopt;
    }
    for (const std::string& name : config_.index) {
        joined_.clear();
        const bool has_room = joined_.append(path.relative) &&
                              joined_.append(path.relative.empty() ? "" : "/") && joined_.append(name);
        if (!has_room) {
            continue;
        }
        LoadedFile file = files_.find(joined_.text(), request.now);
        if (file.miss == FileMiss::absent) {
            continue;
        }
        if (file.miss == FileMiss::none && !path.ends_with_slash && is_read(request.method)) {
            return redirect(request, answer);
        }
        return conclude(std::move(file), request, answer);
    }
    return std::nullopt;
}

Site::StepVerdict Site::try_file(
    std::string_view relative,
    const http::LocalRequest& request,
    http::LocalAnswer& answer
) {
    LoadedFile file = files_.find(relative, request.now);
    if (file.miss == FileMiss::absent) {
        return std::nullopt;
    }
    return conclude(std::move(file), request, answer);
}

http::LocalVerdict Site::conclude(
    LoadedFile file,
    const http::LocalRequest& request,
    http::LocalAnswer& answer
) {
    switch (file.miss) {
        case FileMiss::forbidden: return refuse(403, "file may not be read", request.now, answer);
        case FileMiss::unavailable:
            return refuse(503, "file cannot be opened at the moment", request.now, answer);
        case FileMiss::absent:  // what our callers have seen to
        case FileMiss::failed: return refuse(500, "file cannot be read", request.now, answer);
        case FileMiss::none: break;
    }
    if (!is_read(request.method)) {
        answer.made_fields = "Allow: GET, HEAD\r\n";
        return refuse(405, "method other than GET and HEAD for a file", request.now, answer);
    }
    const FileRefusal refusal = answer_with_file(std::move(file.record), request, boundaries_, answer);
    if (refusal.status != 0) {
        return refuse(refusal.status, refusal.reason, request.now, answer);
    }
    return {.outcome = LocalOutcome::answered};
}

// To the path with a slash behind it, and the query kept. The path has no empty segment, or it would have
// named no file: so Location cannot begin with "//" and lead to another host.
http::LocalVerdict Site::redirect(const http::LocalRequest& request, http::LocalAnswer& answer) {
    ASSERT(request.path.starts_with('/') && !request.path.starts_with("//"));
    answer.status = 301;
    answer.made_fields += "Location: ";
    answer.made_fields += request.path;
    answer.made_fields += '/';
    if (!request.query.empty()) {
        answer.made_fields += '?';
        answer.made_fields += request.query;
    }
    answer.made_fields += "\r\nContent-Length: 0\r\n";
    return {.outcome = LocalOutcome::answered};
}

http::LocalVerdict Site::refuse(
    uint16_t status,
    std::string_view reason,
    core::Instant now,
    http::LocalAnswer& answer
) {
    answer.status = status;
    if (describe_error(status, now, answer)) {
        return {.outcome = LocalOutcome::answered};
    }
    return {.outcome = LocalOutcome::refused, .reason = reason};
}

bool Site::describe_error(uint16_t status, core::Instant now, http::LocalAnswer& answer) {
    const auto page = std::ranges::find(config_.error_pages, status, &ErrorPage::status);
    if (page == config_.error_pages.end()) {
        return false;
    }
    LoadedFile file = files_.find(std::string_view(page->path).substr(1), now);
    if (!file.record) {
        return false;
    }
    answer_with_page(std::move(file.record), status, answer);
    return true;
}

SiteMaker::SiteMaker(Config config, core::Log& log, uint64_t boundary_seed)
    : config_(std::move(config)), log_(log), boundary_seed_(boundary_seed) {}

core::Result<std::unique_ptr<SiteMaker>> SiteMaker::create(
    Config config,
    core::Log& log,
    uint64_t boundary_seed
) {
    TRY_VOID(check_site(config));
    std::unique_ptr<SiteMaker> maker(new SiteMaker(std::move(config), log, boundary_seed));
    if (!maker->config_.root.empty()) {
        TRY(maker->root_, open_root(maker->config_.root));
    }
    return maker;
}

std::unique_ptr<http::LocalHandler> SiteMaker::make() const {
    runtime::Descriptor root(root_.is_open() ? runtime::duplicate(root_.get()) : -1);
    return std::make_unique<Site>(config_, log_, boundary_seed_, std::move(root));
}

}  // namespace web

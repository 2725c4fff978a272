// The directory below which everything is: opened once, and again when another one has its name.
#pragma once

#include <string>

#include "core/units.h"
#include "runtime/file.h"
#include "web/fault_log.h"

namespace web {

class SiteRoot {
public:
    // `faults` must outlive the root. `opened` is the directory at `path` where somebody has opened it
    // already, who may have had more rights than we have.
    SiteRoot(std::string path, core::Duration valid, FaultLog& faults, runtime::Descriptor opened);

    // -1: it was never there, or could not be opened.
    [[nodiscard]] int descriptor() const { return directory_.get(); }

    // Looks where the path leads, at most once in `valid`. True: to another directory than before, from now
    // on that is the root and nothing known of files counts. Where it leads nowhere, or cannot be opened, the
    // old one stays.
    [[nodiscard]] bool look_again(core::Instant now);

private:
    [[nodiscard]] bool reopen(core::Instant now);
    [[nodiscard]] int take(runtime::Descriptor directory);

    std::string path_;
    core::Duration valid_;
    FaultLog& faults_;
    runtime::Descriptor directory_;
    runtime::FileStatus status_;
    core::Instant due_;
};

}  // namespace web

#include "web/site_root.h"

#include <utility>

namespace web {

SiteRoot::SiteRoot(std::string path, core::Duration valid, FaultLog& faults)
    : path_(std::move(path)), valid_(valid), faults_(faults) {}

bool SiteRoot::look_again(core::Instant now) {
    if (now < due_) {
        return false;
    }
    due_ = now + valid_;
    runtime::FileStatus found;
    if (const int result = runtime::file_status_of(path_.c_str(), found); result < 0) {
        faults_.report(Fault::root, path_, -result, now);
        return false;
    }
    const bool is_same = directory_.is_open() && found.identity.device == status_.identity.device &&
                         found.identity.inode == status_.identity.inode;
    return !is_same && reopen(now);
}

bool SiteRoot::reopen(core::Instant now) {
    const int opened = runtime::open_directory(path_.c_str());
    if (opened < 0) {
        faults_.report(Fault::root, path_, -opened, now);
        return false;
    }
    runtime::Descriptor directory(opened);
    if (const int result = runtime::file_status(directory.get(), status_); result < 0) {
        faults_.report(Fault::root, path_, -result, now);
        return false;
    }
    directory_ = std::move(directory);
    return true;
}

}  // namespace web

#include "web/site_root.h"

#include <utility>

namespace web {

SiteRoot::SiteRoot(std::string path, core::Duration valid, FaultLog& faults, runtime::Descriptor opened)
    : path_(std::move(path)), valid_(valid), faults_(faults) {
    if (opened.is_open()) {
        // What fails here fails again at the first look, which tells it.
        [[maybe_unused]] int result = take(std::move(opened));
    }
}

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
    if (const int result = take(runtime::Descriptor(opened)); result < 0) {
        faults_.report(Fault::root, path_, -result, now);
        return false;
    }
    return true;
}

int SiteRoot::take(runtime::Descriptor directory) {
    const int result = runtime::file_status(directory.get(), status_);
    if (result >= 0) {
        directory_ = std::move(directory);
    }
    return result;
}

}  // namespace web

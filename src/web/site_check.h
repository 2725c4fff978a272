// Whether a configuration can be served, before a client asks.
#pragma once

#include <string>

#include "core/result.h"
#include "runtime/descriptor.h"
#include "web/config.h"

namespace web {

// A root as it is now, open; the errors say that it is not there, or is no directory, and the cure.
[[nodiscard]] core::Result<runtime::Descriptor> open_root(const std::string& root);

// Whether we may open files below it: the rights on the directory itself, and openat2(2) on this system.
[[nodiscard]] core::Result<void> check_opened_root(int directory, const std::string& root);

// Its values, openat2(2) on this system, and the root as it is now. The error names what is wrong and the
// cure. The root is part of it, so a reload onto a missing one is refused; one that goes missing later does
// not end a running site.
[[nodiscard]] core::Result<void> check_site(const Config& config);

}  // namespace web

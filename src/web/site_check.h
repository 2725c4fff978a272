// Whether a configuration can be served, before a client asks.
#pragma once

#include "core/result.h"
#include "web/config.h"

namespace web {

// Its values, openat2(2) on this system, and the root as it is now. The error names what is wrong and the
// cure. The root is part of it, so a reload onto a missing one is refused; one that goes missing later does
// not end a running site.
[[nodiscard]] core::Result<void> check_site(const Config& config);

}  // namespace web

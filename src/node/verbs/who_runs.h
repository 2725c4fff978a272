// Whether a site runs on this machine already, and by whom.
#pragma once

#include <string>

#include "node/config/config.h"
#include "node/serve/site_paths.h"

namespace node {

// "www.foobar.com runs already: its server lb1 is run by trilith up, process 4711; …"; empty: no control
// socket of its servers answers.
[[nodiscard]] std::string who_runs(const SitePaths& paths, const Config& config);

}  // namespace node

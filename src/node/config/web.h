// Reads [web] and the tables below it.
#pragma once

#include <string_view>
#include <vector>

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// What [web] says by itself: relative paths begin at `base`, and `try_files` is empty where nothing is said.
[[nodiscard]] WebConfig read_web(Section& web, std::string_view base);

// Derives the steps of `try` in config.web, which must be there, by whether there are files and an app.
// Reports a tier that has neither, steps that need what is not there, and keys about files where there is no
// root. Of a file without other problems.
void settle_web(Section& root, Config& config);

// What stands behind the files: the app, if any server has one.
[[nodiscard]] web::Fallback fallback_of(const Config& config);

// What is tried where `try` is not written.
[[nodiscard]] std::vector<web::TryStep> derived_steps(std::string_view root, web::Fallback fallback);

}  // namespace node

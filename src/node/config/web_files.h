// Reads what [web] says of files: how they are found, and how they are sent.
#pragma once

#include <string_view>

#include "node/config/section.h"
#include "web/config.h"

namespace node {

// The encoding as it is written in a configuration file.
[[nodiscard]] std::string_view encoding_name(web::Encoding encoding);

// Reads all of a site but its root. Where `try` is not written, site.try_files stays as it is.
void read_site_files(Section& section, web::Config& site);

}  // namespace node

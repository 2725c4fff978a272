// The Content-Type of a file by its name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "web/config.h"

namespace web {

// The configuration's own types before those of the table (mime_table.h), with a charset for what is text.
class ContentTypes {
public:
    explicit ContentTypes(const Config& config);

    // By what stands behind the last dot of the name or path; application/octet-stream where that is unknown
    // or there is no dot. The charset is told for text/ types alone: JSON has no such parameter (RFC 8259
    // section 11), and XML, SVG too, says its own in the document, which a parameter would overrule (RFC 7303
    // section 3.2). A type of the configuration that has parameters stays as it is.
    [[nodiscard]] std::string of(std::string_view name) const;

private:
    std::vector<MimeOverride> overrides_;
    std::string charset_;
};

}  // namespace web

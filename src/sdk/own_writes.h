// What a request's visitor has written, as positions of the databases that it uses: so that their next read
// finds it. Between requests a position travels in a signed cookie.
#pragma once

#include <trilith/app.h>

#include <string>
#include <string_view>
#include <vector>

#include "mysql/gtid.h"

namespace trilith::sdk {

struct DatabaseSettings;

class OwnWrites {
public:
    // That the visitor's reads must have; "": any. The cookie is looked at when it is asked for first.
    [[nodiscard]] std::string position(const DatabaseSettings& settings, const Request& request);

    // A write has ended at this GTID, as its server told it. What is none is passed over.
    void note(const DatabaseSettings& settings, const Request& request, std::string_view gtid);

    // Of the databases that were written to; nothing where the program has no key to sign with.
    void add_cookies(Response& response, const Request& request) const;

    void clear() { entries_.clear(); }

private:
    struct Entry {
        const DatabaseSettings* settings = nullptr;
        mysql::GtidPosition position{};
        bool has_written = false;
    };

    [[nodiscard]] Entry& entry(const DatabaseSettings& settings, const Request& request);

    std::vector<Entry> entries_;
};

}  // namespace trilith::sdk

#include "sdk/own_writes.h"

#include <algorithm>

#include "sdk/exchange.h"
#include "sdk/public_access.h"

namespace trilith::sdk {

namespace {

bool is_followed(const DatabaseSettings& settings, const Request& request) {
    const Program& program = PublicAccess::exchange(request).program();
    return !settings.options.position_cookie.empty() && program.signer.has_keys();
}

}  // namespace

OwnWrites::Entry& OwnWrites::entry(const DatabaseSettings& settings, const Request& request) {
    auto found = std::ranges::find(entries_, &settings, &Entry::settings);
    if (found != entries_.end()) {
        return *found;
    }
    Entry& made = entries_.emplace_back(Entry{.settings = &settings});
    if (is_followed(settings, request)) {
        if (auto text = request.signed_cookie(settings.options.position_cookie)) {
            made.position = mysql::GtidPosition::read(*text).value_or(mysql::GtidPosition());
        }
    }
    return made;
}

std::string OwnWrites::position(const DatabaseSettings& settings, const Request& request) {
    std::string text;
    entry(settings, request).position.append_to(text);
    return text;
}

void OwnWrites::note(const DatabaseSettings& settings, const Request& request, std::string_view gtid) {
    auto written = mysql::read_gtid(gtid);
    if (!written) {
        return;
    }
    Entry& made = entry(settings, request);
    made.has_written = made.position.merge(*written) || made.has_written;
}

void OwnWrites::add_cookies(Response& response, const Request& request) const {
    for (const Entry& entry : entries_) {
        if (!entry.has_written || !is_followed(*entry.settings, request)) {
            continue;
        }
        Cookie cookie{
            .name = entry.settings->options.position_cookie,
            .max_age = entry.settings->options.position_life,
        };
        entry.position.append_to(cookie.value);
        response.add_cookie(request.sign(std::move(cookie)));
    }
}

}  // namespace trilith::sdk

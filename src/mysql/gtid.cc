// Reading, writing and comparing of global transaction ids.
#include "mysql/gtid.h"

#include <algorithm>
#include <charconv>
#include <concepts>

namespace mysql {
namespace {

// Takes a decimal number off the front of `text`; without a sign, as from_chars() reads unsigned numbers.
template <std::unsigned_integral Number>
bool take_number(std::string_view& text, Number& number) {
    const char* end = text.data() + text.size();
    const std::from_chars_result result = std::from_chars(text.data(), end, number);
    if (result.ec != std::errc()) {
        return false;
    }
    text.remove_prefix(static_cast<size_t>(result.ptr - text.data()));
    return true;
}

bool take_dash(std::string_view& text) {
    if (!text.starts_with('-')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

std::string_view without_spaces(std::string_view text) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

void append_number(std::string& text, uint64_t number) {
    std::array<char, 20> digits{};
    const std::to_chars_result result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    text.append(digits.data(), result.ptr);
}

}  // namespace

std::optional<Gtid> read_gtid(std::string_view text) {
    Gtid gtid;
    const bool is_read = take_number(text, gtid.domain) && take_dash(text) &&
                         take_number(text, gtid.server) && take_dash(text) &&
                         take_number(text, gtid.sequence) && text.empty();
    return is_read ? std::optional(gtid) : std::nullopt;
}

std::optional<GtidPosition> GtidPosition::read(std::string_view text) {
    GtidPosition position;
    text = without_spaces(text);
    bool has_more = !text.empty();
    while (has_more) {
        const size_t comma = text.find(',');
        has_more = comma != std::string_view::npos;
        const std::optional<Gtid> gtid = read_gtid(without_spaces(text.substr(0, comma)));
        const size_t count = position.count_;
        if (!gtid || !position.merge(*gtid) || position.count_ == count) {
            return std::nullopt;
        }
        text.remove_prefix(has_more ? comma + 1 : text.size());
    }
    return position;
}

bool GtidPosition::merge(const Gtid& gtid) {
    const auto end = gtids_.begin() + static_cast<ptrdiff_t>(count_);
    const auto place = std::ranges::lower_bound(gtids_.begin(), end, gtid.domain, {}, &Gtid::domain);
    if (place != end && place->domain == gtid.domain) {
        if (gtid.sequence > place->sequence) {
            *place = gtid;
        }
        return true;
    }
    if (count_ == kDomainsMax) {
        return false;
    }
    std::move_backward(place, end, end + 1);
    *place = gtid;
    ++count_;
    return true;
}

bool GtidPosition::merge(const GtidPosition& other) {
    bool has_room = true;
    for (const Gtid& gtid : other.gtids()) {
        has_room = merge(gtid) && has_room;
    }
    return has_room;
}

bool GtidPosition::covers(const Gtid& gtid) const {
    return std::ranges::any_of(gtids(), [&gtid](const Gtid& own) {
        return own.domain == gtid.domain && own.sequence >= gtid.sequence;
    });
}

bool GtidPosition::covers(const GtidPosition& other) const {
    return std::ranges::all_of(other.gtids(), [this](const Gtid& gtid) { return covers(gtid); });
}

void GtidPosition::append_to(std::string& text) const {
    std::string_view before;
    for (const Gtid& gtid : gtids()) {
        text += before;
        append_number(text, gtid.domain);
        text += '-';
        append_number(text, gtid.server);
        text += '-';
        append_number(text, gtid.sequence);
        before = ",";
    }
}

bool operator==(const GtidPosition& a, const GtidPosition& b) {
    return std::ranges::equal(a.gtids(), b.gtids());
}

}  // namespace mysql

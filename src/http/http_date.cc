#include "http/http_date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <format>

#include "http/text.h"

namespace http {
namespace {

constexpr std::array<std::string_view, 7> kDays{
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
};

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

constexpr size_t kShortName = 3;  // letters of a day and of a month
constexpr int64_t kSecondsOfDay = 86'400;

// Takes a date apart from the left. After the first piece that does not fit, `is_good` stays false.
class Pieces {
public:
    explicit Pieces(std::string_view text) : rest_(text) {}

    void literal(std::string_view wanted) {
        check(rest_.starts_with(wanted));
        skip(wanted.size());
    }

    // Exactly so many digits; `filler` may stand for leading zeros.
    int number(size_t digits, char filler = '0') {
        int value = 0;
        bool has_digit = false;
        for (const char byte : take(digits)) {
            const bool is_digit = is_of(byte, kDigitByte);
            check(is_digit || (byte == filler && !has_digit));
            has_digit = has_digit || is_digit;
            value = value * 10 + (is_digit ? byte - '0' : 0);
        }
        check(has_digit);
        return value;
    }

    // 1 to 12.
    unsigned month() {
        const std::string_view name = take(kShortName);
        const size_t at = kMonths.find(name);
        check(name.size() == kShortName && at != std::string_view::npos && at % kShortName == 0);
        return static_cast<unsigned>(at / kShortName + 1);
    }

    void short_day() {
        const std::string_view name = take(kShortName);
        check(std::ranges::any_of(kDays, [&](std::string_view day) {
            return day.substr(0, kShortName) == name;
        }));
    }

    void long_day() {
        const std::string_view name = rest_.substr(0, rest_.find(','));
        check(std::ranges::contains(kDays, name));
        skip(name.size());
    }

    [[nodiscard]] bool is_complete() const { return is_good_ && rest_.empty(); }

private:
    void check(bool is_right) { is_good_ = is_good_ && is_right; }

    void skip(size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

    std::string_view take(size_t count) {
        const std::string_view taken = rest_.substr(0, count);
        check(taken.size() == count);
        skip(count);
        return taken;
    }

    std::string_view rest_;
    bool is_good_ = true;
};

struct Civil {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;  // 60: a leap second
};

void take_time(Pieces& pieces, Civil& civil) {
    civil.hour = pieces.number(2);
    pieces.literal(":");
    civil.minute = pieces.number(2);
    pieces.literal(":");
    civil.second = pieces.number(2);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
Civil take_fixdate(Pieces& pieces) {
    Civil civil;
    pieces.short_day();
    pieces.literal(", ");
    civil.day = static_cast<unsigned>(pieces.number(2));
    pieces.literal(" ");
    civil.month = pieces.month();
    pieces.literal(" ");
    civil.year = pieces.number(4);
    pieces.literal(" ");
    take_time(pieces, civil);
    pieces.literal(" GMT");
    return civil;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
Civil take_rfc850(Pieces& pieces) {
    Civil civil;
    pieces.long_day();
    pieces.literal(", ");
    civil.day = static_cast<unsigned>(pieces.number(2));
    pieces.literal("-");
    civil.month = pieces.month();
    pieces.literal("-");
    const int year = pieces.number(2);
    civil.year = year + (year < 70 ? 2000 : 1900);
    pieces.literal(" ");
    take_time(pieces, civil);
    pieces.literal(" GMT");
    return civil;
}

// "Sun Nov  6 08:49:37 1994"
Civil take_asctime(Pieces& pieces) {
    Civil civil;
    pieces.short_day();
    pieces.literal(" ");
    civil.month = pieces.month();
    pieces.literal(" ");
    civil.day = static_cast<unsigned>(pieces.number(2, ' '));
    pieces.literal(" ");
    take_time(pieces, civil);
    pieces.literal(" ");
    civil.year = pieces.number(4);
    return civil;
}

}  // namespace

std::optional<int64_t> parse_http_date(std::string_view text) {
    Pieces pieces(text);
    Civil civil;
    if (text.size() > kShortName && text[kShortName] == ',') {
        civil = take_fixdate(pieces);
    } else if (text.contains(',')) {
        civil = take_rfc850(pieces);
    } else {
        civil = take_asctime(pieces);
    }
    const std::chrono::year_month_day date{
        std::chrono::year(civil.year),
        std::chrono::month(civil.month),
        std::chrono::day(civil.day)
    };
    if (!pieces.is_complete() || !date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 60) {
        return std::nullopt;
    }
    const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return days * kSecondsOfDay + civil.hour * 3600 + civil.minute * 60 + civil.second;
}

std::string format_http_date(int64_t seconds) {
    using std::chrono::sys_days;
    constexpr int64_t kFirst =
        int64_t{sys_days(std::chrono::year(1) / 1 / 1).time_since_epoch().count()} * kSecondsOfDay;
    constexpr int64_t kLast =
        int64_t{sys_days(std::chrono::year(10000) / 1 / 1).time_since_epoch().count()} * kSecondsOfDay - 1;
    const std::chrono::sys_seconds time{std::chrono::seconds(std::clamp(seconds, kFirst, kLast))};
    const sys_days midnight = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(midnight);
    const auto since_midnight = static_cast<int>((time - midnight).count());
    return std::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays[std::chrono::weekday(midnight).c_encoding()].substr(0, kShortName),
        static_cast<unsigned>(date.day()),
        kMonths.substr((static_cast<unsigned>(date.month()) - 1) * kShortName, kShortName),
        static_cast<int>(date.year()),
        since_midnight / 3600,
        since_midnight / 60 % 60,
        since_midnight % 60
    );
}

}  // namespace http

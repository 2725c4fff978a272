#include "web/fault_log.h"

#include <cstring>
#include <string>
#include <utility>

namespace web {
namespace {

constexpr core::Duration kBetweenLines = std::chrono::minutes(1);

std::string_view sentence_of(Fault fault) {
    switch (fault) {
        case Fault::forbidden: return "file may not be read: answered 403";
        case Fault::exhausted: return "no descriptor or memory left to open a file: answered 503";
        case Fault::failed: return "file cannot be read: answered 500, or broken off";
        case Fault::outside: return "link leads out of the root, or is absolute: treated as not there";
        case Fault::unsettled: return "file is written to while it is read: answered 503";
        case Fault::root: return "root cannot be opened: what was there before is served";
    }
    return {};
}

}  // namespace

void FaultLog::report(Fault fault, std::string_view path, int code, core::Instant now) {
    Told& told = told_[std::to_underlying(fault)];
    if (told.at && now - *told.at < kBetweenLines) {
        ++told.untold;
        return;
    }
    const std::string reason = code == 0 ? "none" : std::strerror(code);
    const std::string untold = std::to_string(told.untold);
    if (fault == Fault::outside || fault == Fault::unsettled) {
        log_.warn(
            "web",
            sentence_of(fault),
            {{.key = "path", .value = std::string(path)}, {.key = "untold", .value = untold}}
        );
    } else {
        log_.error(
            "web",
            sentence_of(fault),
            {{.key = "path", .value = std::string(path)},
             {.key = "reason", .value = reason},
             {.key = "untold", .value = untold}}
        );
    }
    told = {.at = now};
}

}  // namespace web

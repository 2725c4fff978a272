// What every verb that speaks to a running site makes of the servers' answers: an exit status, lines, JSON.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "node/verbs/console.h"
#include "node/verbs/running_site.h"

namespace node {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUse = 2;

// Says the error on `err`; kExitFailed.
[[nodiscard]] int report_error(const core::Error& error, Console& console);

// Of RunningSite::find(). Several sites and none named is kExitWrongUse; that none runs is kExitFailed.
[[nodiscard]] int report_no_site(const core::Error& error, Console& console);

// {"servers":[{"server":"lb1","status":200,"reply":{…}}]}, with the replies as they came; `more`, as in
// ",\"moved\":true", stands behind the list.
[[nodiscard]] std::string answers_json(const std::vector<ServerAnswer>& answers, std::string_view more = "");

// Says on `err` why servers did not do it: once where none did for one reason. kExitDone where all did.
[[nodiscard]] int report_failures(const std::vector<ServerAnswer>& answers, Console& console);

// Names those whose process is gone and who heard nothing of an order.
void warn_of_dead(const RunningSite& site, Console& console);

}  // namespace node

// Reads [drill] and [objectives]: the load of `trilith drill`, and what must hold meanwhile.
#pragma once

#include <string>
#include <vector>

#include "drill/config.h"
#include "node/config/changes.h"
#include "node/config/section.h"
#include "node/config/settings.h"

namespace node {

[[nodiscard]] drill::Config read_drill(Section& section);
[[nodiscard]] drill::Objectives read_objectives(Section& section);

// [drill] but for its forms, which are a list of their own. As config/settings.h has those of the tiers.
[[nodiscard]] std::vector<Setting> drill_settings(const drill::Config& config);
[[nodiscard]] std::vector<Setting> objective_settings(const drill::Objectives& objectives);

// A form's keys, as they are written; those that are at their default are left out.
[[nodiscard]] std::vector<Setting> form_settings(const drill::FormConfig& form);

// Adds what differs in either table.
void compare_drills(const Config& before, const Config& after, Changes& changes);

}  // namespace node

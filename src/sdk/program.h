// A program as it was registered: immutable while it is served, shared by all threads.
#pragma once

#include <trilith/app.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "sdk/database_settings.h"
#include "sdk/html_template.h"
#include "sdk/router.h"
#include "sdk/signed_cookie.h"

namespace trilith::sdk {

// What App::every() was given.
struct Chore {
    std::chrono::milliseconds pause{};
    std::function<Task<void>(Request&)> call{};
};

struct Program {
    Options options;
    Router router{};
    TemplateSet templates{};
    CookieSigner signer{};
    std::vector<const DatabaseSettings*> databases{};
    std::vector<Chore> chores{};
    std::vector<std::string> problems{};  // one sentence each, of what was registered wrongly

    // Takes the keys and completes what is looked at once all is there; false where there are problems.
    [[nodiscard]] bool complete();
};

}  // namespace trilith::sdk

// A program as it was registered: immutable while it is served, shared by all threads.
#pragma once

#include <trilith/app.h>

#include <string>
#include <vector>

#include "sdk/html_template.h"
#include "sdk/router.h"
#include "sdk/signed_cookie.h"

namespace trilith::sdk {

struct Program {
    Options options;
    Router router{};
    TemplateSet templates{};
    CookieSigner signer{};
    std::vector<std::string> problems{};  // one sentence each, of what was registered wrongly

    // Takes the keys and completes what is looked at once all is there; false where there are problems.
    [[nodiscard]] bool complete();
};

}  // namespace trilith::sdk

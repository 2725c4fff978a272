// A stage for tests of the verbs: sites whose servers answer as a test says, and a console that keeps what is
// printed.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "node/control/json.h"
#include "node/control/scripted_os.h"
#include "node/status/json.h"
#include "node/status/sample_status.h"
#include "node/verbs/console.h"
#include "runtime/temporary_directory.h"

namespace node {

class Stage {
public:
    Stage() {
        console_.environment.user = 1000;
        console_.environment.xdg_runtime = directory_.path();
        ASSERT(::mkdir((directory_ / "trilith").c_str(), 0700) == 0);
    }

    // A server that gives these answers one after the other, the last one for ever.
    ScriptedSocket& add(
        const std::string& site,
        const std::string& server,
        std::vector<std::string> answers
    ) {
        ::mkdir((directory_ / ("trilith/" + site)).c_str(), 0700);
        std::string name = "trilith/" + site + "/" + server + ".sock";
        directory_.write(name, "");
        ScriptedSocket& socket = os.sockets[directory_ / name];
        socket.answer = [this, server, answers = std::move(answers), at = size_t{0}](std::string_view request
                        ) mutable {
            size_t body = request.find("\r\n\r\n") + 4;
            asked.push_back(
                server + " " + std::string(request.substr(0, request.find(" HTTP"))) + " " +
                std::string(request.substr(body))
            );
            std::string answer = answers[std::min(at++, answers.size() - 1)];
            return answer;
        };
        return socket;
    }

    Console& console() { return console_; }

    ScriptedOs os;
    std::vector<std::string> asked;  // "lb1 POST /v1/weight {…}"
    std::string out;
    std::string err;

private:
    runtime::TemporaryDirectory directory_;
    Console console_{
        .os = os,
        .environment = {},
        .out = [this](std::string_view text) { out += text; },
        .err = [this](std::string_view text) { err += text; },
        .is_terminal = false,
        .terminal_size = [] { return TerminalSize{.columns = 80, .rows = 10}; },
    };
};

inline std::string refused(int status, const std::string& sentence) {
    return http_answer(status, format_error(sentence));
}

inline std::string status_answer(ServerStatus status = sample_status()) {
    return http_answer(200, status_json(status) + "\n");
}

}  // namespace node

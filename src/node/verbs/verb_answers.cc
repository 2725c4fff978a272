#include "node/verbs/verb_answers.h"

#include <format>

#include "core/json_text.h"
#include "node/control/json.h"

namespace node {

using core::ErrorKind;

int report_error(const core::Error& error, Console& console) {
    console.err("trilith: " + error.context() + "\n");
    return kExitFailed;
}

int report_no_site(const core::Error& error, Console& console) {
    int status = report_error(error, console);
    return error.kind() == ErrorKind::invalid ? kExitWrongUse : status;
}

std::string answers_json(const std::vector<ServerAnswer>& answers, std::string_view more) {
    std::string text = "{\"servers\":[";
    for (const ServerAnswer& answer : answers) {
        text += &answer == &answers.front() ? "{\"server\":" : ",{\"server\":";
        core::append_json_string(text, answer.server);
        std::string reply = answer.is_good() ? *answer.body : answer.refusal;
        if (reply.empty()) {
            reply = format_error(answer.body.error().context());
        }
        text += std::format(",\"status\":{},\"reply\":{}}}", answer.status, reply);
    }
    return std::format("{}]{}}}\n", text, more);
}

int report_failures(const std::vector<ServerAnswer>& answers, Console& console) {
    std::vector<ServerLines> failures;
    for (const ServerAnswer& answer : answers) {
        if (!answer.is_good()) {
            failures.push_back({.server = answer.server, .lines = {answer.body.error().context()}});
        }
    }
    console.err(merge_lines(failures, answers.size(), "trilith: "));
    return failures.empty() ? kExitDone : kExitFailed;
}

void warn_of_dead(const RunningSite& site, Console& console) {
    for (const ServerSocket& socket : site.dead()) {
        console.err(std::format("trilith: {} does not run and was not told\n", socket.server));
    }
}

}  // namespace node

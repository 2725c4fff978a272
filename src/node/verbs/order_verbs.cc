#include "node/verbs/order_verbs.h"

#include <algorithm>
#include <format>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "node/control/json.h"
#include "node/verbs/drain_watch.h"
#include "node/verbs/running_site.h"
#include "node/verbs/server_drain.h"
#include "node/verbs/verb_answers.h"

namespace node {

using core::Result;
using http::Method;

namespace {

std::vector<std::string> change_lines(const std::string& body) {
    auto reply = parse_changes(body);
    if (!reply) {
        return {reply.error().context()};
    }
    std::vector<std::string> lines;
    for (const BackendChange& change : reply->changes) {
        lines.push_back(change.backend + ": " + change.sentence);
    }
    return lines.empty() ? std::vector<std::string>{"nothing to change"} : lines;
}

void print_changes(const std::vector<ServerAnswer>& answers, Console& console) {
    if (!ordered_server(answers).empty()) {
        console.out(server_changes_text(answers));
        return;
    }
    std::vector<ServerLines> good;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            good.push_back({.server = answer.server, .lines = change_lines(*answer.body)});
        }
    }
    console.out(merge_lines(good, answers.size()));
}

// Gives an order to every server and prints what it changed.
int give_order(const SiteOptions& options, std::string path, std::string body, Console& console) {
    auto site = RunningSite::find(options, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    ControlCall order{.method = Method::post, .path = std::move(path), .body = std::move(body)};
    std::vector<ServerAnswer> answers = site->ask_concerned(console.os, order);
    warn_of_dead(*site, console);
    if (options.format == OutputFormat::json) {
        console.out(answers_json(answers));
    } else {
        print_changes(answers, console);
        for (const std::string& remark : server_remarks(answers)) {
            console.out("  " + remark + "\n");
        }
    }
    return report_failures(answers, console);
}

// A backend's drain, or what is left of a server's.
Result<ServerDrained> end_drain(
    const RunningSite& site,
    const std::vector<ServerAnswer>& answers,
    const DrainOptions& options,
    Console& console
) {
    DrainWatchOptions watch{
        .timeout = options.timeout,
        .is_quiet = options.site.format == OutputFormat::json,
    };
    if (!ordered_server(answers).empty()) {
        return end_server_drain(site, answers, {.is_waiting = options.is_waiting, .watch = watch}, console);
    }
    if (options.is_waiting) {
        TRY_VOID(wait_until_drained(site, answers, watch, console));
    }
    return ServerDrained{};
}

}  // namespace

int run(const WeightOptions& options, Console& console) {
    std::string order = format_order(WeightOrder{.name = options.name, .weight = options.weight});
    return give_order(options.site, "/v1/weight", std::move(order), console);
}

int run(const DrainOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    std::string order = format_order(BackendOrder{.name = options.name});
    std::vector<ServerAnswer> answers = site->ask_concerned(
        console.os,
        {.method = Method::post, .path = "/v1/drain", .body = std::move(order)}
    );
    warn_of_dead(*site, console);
    bool is_json = options.site.format == OutputFormat::json;
    if (!is_json) {
        print_changes(answers, console);
    }
    int status = report_failures(answers, console);
    // Of a server that not everybody drains nobody can say that it may be switched off.
    bool goes_on = status == kExitDone || ordered_server(answers).empty();
    auto drained = goes_on ? end_drain(*site, answers, options, console) : Result<ServerDrained>();
    if (is_json) {
        std::string more;
        if (drained && !drained->moved.empty()) {
            more = ",\"moved\":";
            core::append_json_string(more, drained->moved);
        }
        console.out(answers_json(answers, more));
    }
    return drained ? status : report_error(drained.error(), console);
}

int run(const DisableOptions& options, Console& console) {
    return give_order(options.site, "/v1/disable", format_order(BackendOrder{.name = options.name}), console);
}

int run(const EnableOptions& options, Console& console) {
    return give_order(options.site, "/v1/enable", format_order(BackendOrder{.name = options.name}), console);
}

int run(const UndoOptions& options, Console& console) {
    return give_order(options.site, "/v1/undo", format_order(UndoOrder{.name = options.name}), console);
}

}  // namespace node

#include "node/verbs/client_verbs.h"

#include <format>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "node/control/json.h"
#include "node/verbs/restart_watch.h"
#include "node/verbs/running_site.h"
#include "node/verbs/verb_answers.h"

namespace node {

using http::Method;

namespace {

constexpr int kFileRefused = 422;  // HTTP: a reload found errors in the file

std::vector<std::string> reload_lines(const ServerAnswer& answer) {
    auto reply = parse_reload(*answer.body);
    if (!reply || !reply->is_applied()) {
        return {};
    }
    if (reply->changes.empty()) {
        return {"nothing has changed"};
    }
    std::vector<std::string> lines{"applied:"};
    for (const std::string& change : reply->changes) {
        lines.push_back("  " + change);
    }
    return lines;
}

// Every error of the file that servers refused, instead of the first alone.
int report_refused_reloads(const std::vector<ServerAnswer>& answers, Console& console) {
    std::vector<ServerLines> refusals;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            continue;
        }
        auto reply = parse_reload(answer.refusal);
        bool is_of_file = answer.status == kFileRefused && reply && !reply->errors.empty();
        std::string sentence = answer.body.error().context() + "; nothing was applied";
        refusals.push_back(
            {.server = answer.server, .lines = is_of_file ? reply->errors : std::vector{std::move(sentence)}}
        );
    }
    console.err(merge_lines(refusals, answers.size()));
    return refusals.empty() ? kExitDone : kExitFailed;
}

// {"server":"web1","instances":["app-1: …"]}
std::string restart_json(const RestartReport& report) {
    std::string text = "{\"server\":";
    core::append_json_string(text, report.server);
    text += ",\"instances\":[";
    for (const std::string& sentence : report.sentences) {
        text += &sentence == &report.sentences.front() ? "" : ",";
        core::append_json_string(text, sentence);
    }
    return text + "]}";
}

}  // namespace

int run(const ReloadOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::post, .path = "/v1/reload", .body = "{}"});
    warn_of_dead(*site, console);
    std::vector<ServerLines> applied;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            applied.push_back({.server = answer.server, .lines = reload_lines(answer)});
        }
    }
    console.out(
        options.site.format == OutputFormat::json ? answers_json(answers)
                                                  : merge_lines(applied, answers.size())
    );
    return report_refused_reloads(answers, console);
}

int run(const RestartOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    if (!options.server.empty()) {
        if (auto chosen = site->choose(options.server); !chosen) {
            return report_error(chosen.error(), console);
        }
    }
    std::string json;
    auto done = restart_app(*site, console, [&](const RestartReport& report) {
        if (options.site.format == OutputFormat::json) {
            json += json.empty() ? "" : ",";
            json += restart_json(report);
            return;
        }
        for (const std::string& sentence : report.sentences) {
            console.out(report.server + ": " + sentence + "\n");
        }
    });
    if (options.site.format == OutputFormat::json) {
        console.out("{\"servers\":[" + json + "]}\n");
    }
    return done ? kExitDone : report_error(done.error(), console);
}

int run(const MetricsOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    if (!options.server.empty()) {
        if (auto chosen = site->choose(options.server); !chosen) {
            return report_error(chosen.error(), console);
        }
    }
    if (site->servers().size() > 1) {
        console.err(
            "trilith: several servers run: choose one with --server, since their metrics have the same "
            "names\n"
        );
        return kExitWrongUse;
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::get, .path = "/v1/metrics", .body = {}});
    if (answers.front().is_good()) {
        console.out(*answers.front().body);
    }
    return report_failures(answers, console);
}

}  // namespace node

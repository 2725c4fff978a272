#include "node/client_verbs.h"

#include <format>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "node/control_json.h"
#include "node/restart_watch.h"
#include "node/running_site.h"
#include "node/status_json.h"
#include "node/status_table.h"
#include "node/verb_answers.h"

namespace node {

using core::ErrorKind;
using core::Result;
using http::Method;

namespace {

constexpr int kFileRefused = 422;  // HTTP: a reload found errors in the file
constexpr core::Duration kWatchPause = std::chrono::seconds(1);

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

Result<std::vector<ServerStatus>> parse_statuses(const std::vector<ServerAnswer>& answers) {
    std::vector<ServerStatus> statuses;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            TRY(ServerStatus status, parse_status_json(*answer.body));
            statuses.push_back(std::move(status));
        }
    }
    return statuses;
}

std::string statuses_json(const std::vector<ServerAnswer>& answers) {
    std::string text;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            std::string_view status = *answer.body;
            status = status.substr(0, status.find_last_not_of('\n') + 1);
            text += (text.empty() ? "" : ",") + std::string(status);
        }
    }
    return "{\"servers\":[" + text + "]}\n";
}

// What fits on the screen, over what was there: each line is cleared to its end, then the rest of the screen.
std::string frame(const std::string& table, size_t rows) {
    std::string text = "\x1b[H";
    size_t line = 1;
    for (size_t begin = 0; begin < table.size() && (rows == 0 || line < rows); ++line) {
        size_t end = table.find('\n', begin);
        text += table.substr(begin, end - begin) + "\x1b[K\n";
        begin = end + 1;
    }
    return text + "\x1b[J";
}

// One look at the site: asks, draws, and keeps what was seen for the next. Not kExitDone: it is gone.
int look(const StatusOptions& options, std::vector<ServerStatus>& earlier, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return report_no_site(site.error(), console);
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::get, .path = "/v1/status", .body = {}});
    auto statuses = parse_statuses(answers);
    if (!statuses) {
        return report_error(statuses.error(), console);
    }
    TerminalSize size = console.is_terminal ? console.terminal_size() : TerminalSize{};
    Colour colour = console.is_terminal ? Colour::ansi : Colour::none;
    std::string table =
        status_table(*statuses, {.columns = size.columns, .colour = colour, .earlier = earlier});
    bool is_redrawn = options.is_watching && console.is_terminal;
    if (options.site.format == OutputFormat::json) {
        console.out(statuses_json(answers));
    } else {
        console.out(is_redrawn ? frame(table, size.rows) : table);
    }
    earlier = *std::move(statuses);
    return report_failures(answers, console);
}

}  // namespace

int run(const StatusOptions& options, Console& console) {
    std::vector<ServerStatus> earlier;
    if (options.is_watching && console.is_terminal) {
        console.out("\x1b[2J");
    }
    int status = look(options, earlier, console);
    while (options.is_watching && status == kExitDone) {
        pause(console.os, kWatchPause);
        console.out(console.is_terminal ? "" : "\n");
        status = look(options, earlier, console);
    }
    return status;
}

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

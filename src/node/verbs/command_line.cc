#include "node/verbs/command_line.h"

#include <algorithm>
#include <array>
#include <format>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "node/config/names.h"
#include "node/serve/version.h"
#include "node/verbs/verb_words.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

// All others belong to a verb.
constexpr std::array<std::string_view, 3> kProgramOptions{"-h", "--help", "--version"};

constexpr std::string_view kIntroduction =
    "Trilith: balancer, web servers, application and databases of a site, from one file.\n"
    "Exit status: 0 done, 1 it could not be done, 2 wrong usage or configuration.";

// The verbs and their options, as the command line's library knows them.
class Grammar {
public:
    explicit Grammar(VerbWords& found) : found_(found), app_(std::string(kIntroduction), "trilith") {
        app_.set_help_flag("-h,--help", "Print this help and end");
        app_.set_version_flag("--version", "trilith " + std::string(kVersion));
        app_.footer("trilith help VERB lists a verb's options.");
        app_.require_subcommand(1);
        add_file_verbs();
        add_explain_verb();
        add_watching_verbs();
        add_changing_verbs();
        add_database_verbs();
        add_drill_verb();
    }

    [[nodiscard]] CLI::App& app() { return app_; }

    [[nodiscard]] std::vector<std::string_view> verbs() const {
        std::vector<std::string_view> names{"help", "version"};
        for (const CLI::App* verb : app_.get_subcommands(nullptr)) {
            names.push_back(verb->get_name());
        }
        return names;
    }

    // The verb that was read; null before or without one.
    [[nodiscard]] const CLI::App* verb() const {
        auto parsed = app_.get_subcommands();
        return parsed.empty() ? nullptr : parsed.front();
    }

private:
    void add_file_verbs() {
        CLI::App* up = add_file_verb("up", "Run every server of the file, in the foreground");
        CLI::App* serve = add_file_verb("serve", "Run one server of the file, in the foreground");
        serve->add_option("--server", found_.server, "Which server; may be left out where there is one");
        CLI::App* check = add_file_verb("check", "Read the file and say what is wrong with it");
        check
            ->add_flag("--explain", found_.is_explained, "Print all that was derived or left to its default");
        check->add_flag("--json", found_.is_json, "Answer in JSON");
        CLI::App* migrate =
            add_file_verb("migrate", "Run what is new in migrations/ beside the file, once and in order");
        for (CLI::App* verb : {up, serve, check, migrate}) {
            add_directories(verb);
        }
    }

    void add_explain_verb() {
        CLI::App* explain =
            app_.add_subcommand("explain", "Say where the SQL router would send a statement, and why");
        explain->add_option("SQL", found_.sql, "The statement, as one word of the shell")->required();
        explain->add_option("--sql-mode", found_.sql_mode, "ANSI_QUOTES, NO_BACKSLASH_ESCAPES or \"A,B\"");
        explain->add_flag("--json", found_.is_json, "Answer in JSON");
    }

    CLI::App* add_file_verb(const char* name, const char* purpose) {
        CLI::App* verb = app_.add_subcommand(name, purpose);
        verb->add_option("FILE", found_.file, "The site's configuration (default: ./trilith.toml)");
        return verb;
    }

    void add_watching_verbs() {
        CLI::App* status = add_site_verb(
            "status",
            "Show the site's servers, pools, backends and databases; exit status 1: something is wrong"
        );
        status->add_flag("--watch", found_.is_watching, "Show it again every second, until Ctrl-C");
        status->add_flag("--drawing", found_.is_drawing, "As the drawing of the whiteboard");
        status->add_flag("--table", found_.is_table, "As the table (default: both on a terminal, else this)");
        status->add_flag("--ascii", found_.is_ascii, "Draw with plain ASCII");
        CLI::App* metrics =
            add_found_verb("metrics", "Print the metrics of a server in the format of Prometheus");
        metrics->add_option("--server", found_.server, "Which server; may be left out where one runs");
        CLI::App* logs =
            add_site_verb("logs", "Print the log of all servers of this machine as one, by time");
        logs->add_option("--server", found_.server, "Of this server alone (up: of what starts them)");
        logs->add_option("--tier", found_.tier, "Of balancer, web, app, database … alone");
        logs->add_option("--request", found_.request, "All that names the request of this id");
        logs->add_option("--lines", found_.number, "How many of the newest (default: 100)");
        logs->add_flag("--follow", found_.is_following, "And what comes, until Ctrl-C");
    }

    void add_changing_verbs() {
        CLI::App* weight =
            add_backend_verb("weight", "Change a backend's or a server's share of the requests now");
        weight->add_option("N", found_.number, "0 to 256; 0 takes no new work")->required();
        CLI::App* drain = add_backend_verb(
            "drain",
            "Let a backend, or all tiers of a server, finish what runs and give it nothing new"
        );
        drain->add_flag("--no-wait", found_.is_not_waiting, "Do not wait for the last request");
        drain->add_option(
            "--timeout",
            found_.timeout,
            "How long to wait for it, as in \"30s\" (default: no bound)"
        );
        add_backend_verb("disable", "Take a backend or a server out at once");
        add_backend_verb("enable", "Put a backend or a server back in");
        CLI::App* undo = add_site_verb("undo", "Take back what weight, drain, disable and enable changed");
        undo->add_option("NAME", found_.name, "A server, a backend, POOL/BACKEND, or database/NODE");
        undo->add_flag("--all", found_.is_all, "Of every backend");
        add_site_verb("reload", "Read the file again and take over what changed; no connection is closed");
        CLI::App* restart =
            add_site_verb("restart", "Replace the application's instances, one after the other");
        restart->add_option("WHAT", found_.name, "app")->required();
        restart->add_option("--server", found_.server, "Only there; without it on every server that runs it");
    }

    void add_database_verbs() {
        CLI::App* switchover = add_site_verb("switchover", "Move the database primary to another server");
        switchover->add_option("--to", found_.name, "Where; without it to the replica that has most");
        switchover->add_flag("--kill", found_.is_killing, "End transactions that do not end by themselves");
        CLI::App* failover = add_site_verb("failover", "Replace a database primary that does not answer");
        failover->add_option("--to", found_.name, "By whom; without it by the replica that has most");
        failover->add_flag(
            "--accept-loss",
            found_.is_loss_accepted,
            "Also where what was acknowledged may be lost by it"
        );
        CLI::App* rejoin = add_site_verb("rejoin", "Make a database server that was left alone a replica");
        rejoin->add_option("SERVER", found_.name, "Which server")->required();
        rejoin->add_flag(
            "--discard-extra",
            found_.is_extra_discarded,
            "Also where it has what the primary has not: that stays in a file"
        );
        for (CLI::App* verb : {switchover, failover, rejoin}) {
            verb->add_flag("--dry-run", found_.is_dry, "Check it, and say what would be done");
        }
        CLI::App* sql = add_found_verb("sql", "Open the mariadb client as administrator");
        sql->add_option("--server", found_.server, "At which server; without it at the primary");
        sql->add_option("WORDS", found_.words, "For the client, behind --, as in -- -e \"SHOW TABLES\"");
    }

    void add_drill_verb() {
        CLI::App* drill =
            add_site_verb("drill", "Make a failure happen on purpose, and report what clients saw");
        drill->add_option("NAME", found_.name, "list, all, or one of the drills that list shows")->required();
        drill->add_flag("--force", found_.is_forced, "Also where the site is not whole");
    }

    CLI::App* add_backend_verb(const char* name, const char* purpose) {
        CLI::App* verb = add_site_verb(name, purpose);
        verb->add_option("NAME", found_.name, "A server, a backend, POOL/BACKEND, or database/NODE")
            ->required();
        return verb;
    }

    CLI::App* add_site_verb(const char* name, const char* purpose) {
        CLI::App* verb = add_found_verb(name, purpose);
        verb->add_flag("--json", found_.is_json, "Answer in JSON");
        return verb;
    }

    // What it answers has a form of its own.
    CLI::App* add_found_verb(const char* name, const char* purpose) {
        CLI::App* verb = app_.add_subcommand(name, purpose);
        verb->add_option("--site", found_.site.site, "Which site; may be left out where one runs");
        add_directories(verb);
        return verb;
    }

    void add_directories(CLI::App* verb) {
        DirectoryOptions& directories = found_.site.directories;
        verb->add_option(
            "--state-dir",
            directories.state,
            "Where the site's state lies (or TRILITH_STATE_DIR)"
        );
        verb->add_option(
            "--runtime-dir",
            directories.runtime,
            "Where its sockets lie (or TRILITH_RUNTIME_DIR)"
        );
    }

    VerbWords& found_;
    CLI::App app_;
};

// Words of other programs, and what they are here.
std::string verb_hint(std::string_view word, std::span<const std::string_view> verbs) {
    if (word == "start" || word == "run") {
        return "; did you mean \"up\"?";
    }
    if (word == "stop") {
        return ": Ctrl-C at trilith up, or SIGTERM to it, stops a site in order";
    }
    return suggestion(word, verbs, "verbs");
}

// What a verb takes as one word, or behind "--"; empty: it has no such habit.
std::string_view surplus_hint(std::string_view verb) {
    if (verb == "explain") {
        return "; the statement stands in quotes, as in trilith explain \"SELECT 1\"";
    }
    return verb == "sql" ? "; words for the client stand behind --, as in trilith sql -- -e \"SELECT 1\""
                         : "";
}

// What the library says, as one line: it names what it did not expect or what is missing.
std::string sentence_of(
    const CLI::ParseError& error,
    const Grammar& grammar,
    std::span<const std::string> words
) {
    std::string sentence = error.what();
    std::ranges::replace(sentence, '\n', ' ');
    const CLI::App* verb = grammar.verb();
    if (verb == nullptr || error.get_exit_code() != std::to_underlying(CLI::ExitCodes::ExtrasError)) {
        return sentence;
    }
    std::vector<std::string_view> known;
    for (const CLI::Option* option : verb->get_options()) {
        for (const std::string& name : option->get_lnames()) {
            known.push_back(name);
        }
    }
    for (const std::string& word : words) {
        std::string name = word.starts_with("--") ? word.substr(2, word.find('=') - 2) : "";
        if (!name.empty() && std::ranges::find(known, name) == known.end()) {
            std::string_view near = nearest_name(name, known);
            return std::format("there is no option --{}", name) +
                   (near.empty() ? "" : std::format("; did you mean --{}?", near));
        }
    }
    return sentence + std::string(surplus_hint(verb->get_name()));
}

std::unexpected<core::Error> wrong_usage(const CLI::App* verb, std::string sentence) {
    std::string name = verb == nullptr ? "" : verb->get_name() + ": ";
    while (sentence.ends_with(' ') || sentence.ends_with('.')) {
        sentence.pop_back();
    }
    return fail(
        ErrorKind::invalid,
        std::format(
            "{}{} (trilith {}--help says more)",
            name,
            sentence,
            verb == nullptr ? "" : verb->get_name() + " "
        )
    );
}

// `help VERB` is `VERB --help`.
std::vector<std::string> resolve_help(std::vector<std::string> words) {
    if (words.front() == "help") {
        words.erase(words.begin());
        words.emplace_back("--help");
    } else if (words.front() == "version") {
        words.front() = "--version";
    }
    return words;
}

}  // namespace

Result<Command> parse_command_line(std::span<const char* const> arguments) {
    VerbWords found;
    Grammar grammar(found);
    if (arguments.empty()) {
        return wrong_usage(nullptr, "say what to do");
    }
    std::vector<std::string> words = resolve_help({arguments.begin(), arguments.end()});
    std::vector<std::string_view> verbs = grammar.verbs();
    if (words.front().starts_with('-') &&
        std::ranges::find(kProgramOptions, words.front()) == kProgramOptions.end()) {
        return wrong_usage(nullptr, std::format("a verb comes first, not {}", words.front()));
    }
    if (!words.front().starts_with('-') && std::ranges::find(verbs, words.front()) == verbs.end()) {
        std::string hint = verb_hint(words.front(), verbs);
        return wrong_usage(nullptr, std::format("there is no verb \"{}\"{}", words.front(), hint));
    }
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend());  // as the library wants them
        grammar.app().parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
        return PrintOptions{.text = grammar.app().help()};
    } catch (const CLI::CallForVersion& version) {
        return PrintOptions{.text = std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
        return wrong_usage(grammar.verb(), sentence_of(error, grammar, words));
    }
    auto command = command_of(grammar.verb()->get_name(), found);
    return command ? std::move(command) : wrong_usage(grammar.verb(), command.error().context());
}

}  // namespace node

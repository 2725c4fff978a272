#include "node/status/database_table.h"

#include <format>

namespace node {

namespace {

constexpr size_t kDatabaseIndent = 2;
constexpr core::Duration kSlowWrite = std::chrono::seconds(1);

Ink ink_of_standing(const DatabaseServerStatus& server) {
    if (!server.answers || server.standing == "diverged") {
        return Ink::red;
    }
    return server.standing == "primary" || server.standing == "acker" ? Ink::green : Ink::yellow;
}

std::string cluster_text(const DatabaseStatus& database) {
    if (database.epoch == 0) {
        return "no primary yet";
    }
    return std::format(
        "epoch {}, primary {}, {}{}",
        database.epoch,
        printable(database.primary),
        database.durability,
        database.gate == "held" ? ", writes are held" : ""
    );
}

void append_sentence(std::string& target, const std::string& text, Ink ink, const TableOptions& options) {
    TextTable line({Align::left});
    line.add_row({{printable(text), ink}});
    line.append_to(target, {.indent = kDatabaseIndent, .columns = options.columns, .colour = options.colour});
}

void append_servers(std::string& target, const DatabaseStatus& database, const TableOptions& options) {
    using enum Align;
    TextTable table({left, left, left, left, left, left});
    std::vector<TextCell> heads;
    for (const char* head : {"SERVER", "STANDING", "TAKES WRITES", "ACKNOWLEDGES", "POSITION", "REASON"}) {
        heads.push_back({head, Ink::dim});
    }
    table.add_row(std::move(heads));
    for (const DatabaseServerStatus& server : database.servers) {
        auto yes = [&](bool is) { return server.answers ? is ? "yes" : "no" : "-"; };
        table.add_row({
            {printable(server.server)},
            {printable(server.standing), ink_of_standing(server)},
            {yes(!server.is_read_only)},
            {yes(server.acknowledges)},
            {printable(server.standing == "primary" ? server.written : server.applied)},
            {printable(server.reason)},
        });
    }
    table.append_to(
        target,
        {.indent = kDatabaseIndent, .columns = options.columns, .colour = options.colour}
    );
}

// What it has and the primary has not, and where that was saved.
void append_extra(std::string& target, const DatabaseServerStatus& server, const TableOptions& options) {
    if (server.extra.empty()) {
        return;
    }
    std::string text =
        std::format("{} has transactions that the primary has not: {}", server.server, server.extra);
    for (const std::string& file : server.aside) {
        text += "; saved in " + file;
    }
    append_sentence(target, text, Ink::red, options);
}

}  // namespace

void append_database(std::string& target, const DatabaseStatus& database, const TableOptions& options) {
    target += '\n';
    bool is_lossless = database.durability == "lossless";
    TextTable title({Align::left, Align::left, Align::left});
    std::string agent;
    if (database.agent) {
        agent = std::format("mariadbd {}", printable(database.agent->state));
        agent += database.agent->pid > 0 ? std::format(", pid {}", database.agent->pid) : "";
        agent += database.agent->reason.empty() ? "" : ": " + printable(database.agent->reason);
    }
    title.add_row(
        {{"database"}, {cluster_text(database), is_lossless ? Ink::plain : Ink::yellow}, {std::move(agent)}}
    );
    title.append_to(target, {.columns = options.columns, .colour = options.colour});
    if (!database.leads) {
        return;
    }
    append_sentence(target, "leads: " + database.sentence, Ink::plain, options);
    if (!database.no_failover.empty()) {
        append_sentence(
            target,
            "the primary would not be replaced if it failed now: " + database.no_failover,
            Ink::yellow,
            options
        );
    }
    append_servers(target, database, options);
    for (const DatabaseServerStatus& server : database.servers) {
        append_extra(target, server, options);
        if (!server.drift.empty()) {
            append_sentence(
                target,
                "settings were changed at " + server.server + ": " + server.drift,
                Ink::yellow,
                options
            );
        }
    }
    if (database.write_took >= kSlowWrite) {
        auto text =
            core::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(database.write_took));
        append_sentence(target, "a write of one row takes " + text, Ink::yellow, options);
    }
}

}  // namespace node

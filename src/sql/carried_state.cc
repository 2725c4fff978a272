#include "sql/carried_state.h"

#include <algorithm>
#include <format>
#include <string_view>

#include "core/panic.h"

namespace sql {

namespace {

using enum StateEntry::Kind;

// FNV-1a with a final mix: entries are few and short.
uint64_t digest_of(std::string_view bytes, uint64_t seed) {
    uint64_t digest = seed ^ 0xCBF29CE484222325U;
    for (const char byte : bytes) {
        digest = (digest ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
    }
    digest ^= digest >> 32;
    return digest * 0x9E3779B97F4A7C15U;
}

uint64_t digest_of(const StateEntry& entry, uint64_t seed) {
    uint64_t named = digest_of(entry.name, seed ^ (static_cast<uint64_t>(entry.kind) + 1));
    return digest_of(entry.statement, named);
}

bool is_user_variable(const StateEntry& entry) { return entry.kind == user_variable; }

// The next entry from `at` on that is none of a user variable.
const StateEntry* next_of_system(const std::vector<StateEntry>& entries, size_t& at) {
    while (at < entries.size() && is_user_variable(entries[at])) {
        ++at;
    }
    return at < entries.size() ? &entries[at] : nullptr;
}

// Where two lists part, user variables left aside.
struct Parting {
    size_t left = 0;
    size_t right = 0;
};

Parting part(const std::vector<StateEntry>& left, const std::vector<StateEntry>& right) {
    Parting at;
    for (;;) {
        const StateEntry* one = next_of_system(left, at.left);
        const StateEntry* other = next_of_system(right, at.right);
        if (one == nullptr || other == nullptr || *one != *other) {
            return at;
        }
        ++at.left;
        ++at.right;
    }
}

bool has_in(const std::vector<StateEntry>& entries, size_t from, const StateEntry& wanted) {
    return std::any_of(
        entries.begin() + static_cast<std::ptrdiff_t>(from),
        entries.end(),
        [&](const StateEntry& entry) { return entry.replaces(wanted); }
    );
}

const std::vector<StateEntry>& entries_of(const SharedState& state) {
    static constinit const std::vector<StateEntry> kNone;
    return state == nullptr ? kNone : state->entries;
}

// Whatever the connection has besides is said anew by what the session has behind the place where they part.
bool is_covered(const std::vector<StateEntry>& connection, const std::vector<StateEntry>& session) {
    Parting at = part(connection, session);
    for (size_t place = 0; place < connection.size(); ++place) {
        const StateEntry& entry = connection[place];
        bool counts = is_user_variable(entry) || place >= at.left;
        if (counts && !has_in(session, is_user_variable(entry) ? 0 : at.right, entry)) {
            return false;
        }
    }
    return true;
}

// What takes the entry back. A collation is told by its number, which names its characters, too.
std::string login_statement(const StateEntry& entry, uint16_t collation) {
    if (entry.name == "sql_mode") {
        return "SET SESSION sql_mode = DEFAULT";
    }
    if (collation == 0) {
        return "SET NAMES DEFAULT";
    }
    return std::format(
        "SET character_set_client = {0}, character_set_results = {0}, collation_connection = {0}",
        collation
    );
}

}  // namespace

bool changes_literals(const StateEntry& entry) {
    bool is_of_characters = entry.name == "sql_mode" || entry.name.starts_with("character_set_") ||
                            entry.name == "collation_connection";
    return entry.kind == names || entry.kind == character_set ||
           (entry.kind == system_variable && is_of_characters);
}

bool depends_on_literals(const StateEntry& entry) {
    bool is_plain = std::ranges::none_of(entry.statement, [](char byte) {
        return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) >= 0x80;
    });
    bool has_text = is_user_variable(entry) && entry.statement.contains('\'');
    return !is_plain || has_text;
}

CarriedState::CarriedState(std::vector<StateEntry> said) : entries(std::move(said)) {
    uint64_t of_system = 0;
    uint64_t of_user = 0;
    uint64_t context = 0;
    for (StateEntry& entry : entries) {
        bytes += entry.statement.size();
        if (is_user_variable(entry)) {
            entry.context = depends_on_literals(entry) ? context : 0;
            of_user += digest_of(entry, entry.context);  // in any order
            continue;
        }
        of_system = digest_of(entry, of_system);
        context = changes_literals(entry) ? digest_of(entry, context) : context;
    }
    digest = of_system ^ (of_user * 0x9E3779B97F4A7C15U);
}

bool CarriedState::is_same_as(const CarriedState& other) const {
    if (digest != other.digest || entries.size() != other.entries.size()) {
        return false;
    }
    if (entries == other.entries) {
        return true;
    }
    Parting at = part(entries, other.entries);
    bool has_all =
        next_of_system(entries, at.left) == nullptr && next_of_system(other.entries, at.right) == nullptr;
    return has_all && std::ranges::all_of(entries, [&](const StateEntry& entry) {
        return !is_user_variable(entry) || std::ranges::contains(other.entries, entry);
    });
}

Likeness likeness(const ToldState& connection, const ToldState& session) {
    bool has_schema = connection.database == session.database;
    if (!has_schema && session.database.empty()) {
        return Likeness::unusable;
    }
    bool is_said = connection.carried == session.carried;
    if (!is_said && connection.carried != nullptr && session.carried != nullptr) {
        is_said = connection.carried->is_same_as(*session.carried);
    }
    if (!is_said && !is_covered(entries_of(connection.carried), entries_of(session.carried))) {
        return Likeness::resettable;
    }
    bool is_same = is_said && has_schema && connection.is_autocommit == session.is_autocommit;
    return is_same ? Likeness::same : Likeness::addable;
}

std::vector<std::string> statements_between(const ToldState& connection, const ToldState& session) {
    std::vector<std::string> statements;
    const std::vector<StateEntry>& told = entries_of(connection.carried);
    const std::vector<StateEntry>& wanted = entries_of(session.carried);
    ASSERT(is_covered(told, wanted));
    bool has_schema = connection.database == session.database;
    ASSERT(has_schema || !session.database.empty());
    // SET CHARACTER SET means the schema's; a name of other characters needs those of the session.
    bool is_plain = std::ranges::all_of(session.database, [](char byte) {
        return static_cast<unsigned char>(byte) < 0x80;
    });
    if (!has_schema && is_plain) {
        statements.push_back(use_statement(session.database));
    }
    if (connection.is_autocommit != session.is_autocommit) {
        statements.emplace_back(session.is_autocommit ? "SET autocommit = 1" : "SET autocommit = 0");
    }
    Parting at = part(told, wanted);
    for (size_t place = 0; place < wanted.size(); ++place) {
        const StateEntry& entry = wanted[place];
        bool is_there = is_user_variable(entry) ? std::ranges::contains(told, entry) : place < at.right;
        if (!is_there) {
            statements.push_back(entry.statement);
        }
    }
    if (!has_schema && !is_plain) {
        statements.push_back(use_statement(session.database));
    }
    return statements;
}

std::string use_statement(std::string_view database) {
    std::string text = "USE `";
    for (const char byte : database) {
        text += byte;
        if (byte == '`') {
            text += byte;
        }
    }
    return text + "`";
}

std::vector<const StateEntry*> literal_entries(const SharedState& carried) {
    std::vector<const StateEntry*> found;
    if (carried == nullptr) {
        return found;
    }
    for (const StateEntry& entry : carried->entries) {
        if (changes_literals(entry)) {
            found.push_back(&entry);
        }
    }
    return found;
}

std::vector<std::string> literal_statements(
    const ToldState& from,
    const ToldState& to,
    uint16_t login_collation
) {
    std::vector<std::string> statements;
    std::vector<const StateEntry*> wanted = literal_entries(to.carried);
    for (const StateEntry* entry : literal_entries(from.carried)) {
        auto replaces = [&](const StateEntry* other) { return other->replaces(*entry); };
        if (std::ranges::none_of(wanted, replaces)) {
            statements.push_back(login_statement(*entry, login_collation));
        }
    }
    for (const StateEntry* entry : wanted) {
        statements.push_back(entry->statement);
    }
    if (!to.database.empty() && to.database != from.database) {
        statements.push_back(use_statement(to.database));
    }
    return statements;
}

}  // namespace sql

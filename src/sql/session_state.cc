#include "sql/session_state.h"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <span>
#include <utility>

#include "core/hex.h"
#include "core/panic.h"
#include "sql/variable_care.h"

namespace sql {

namespace {

using enum StateEntry::Kind;

bool is_of_character_set(std::string_view variable) {
    return variable.starts_with("character_set_") || variable == "collation_connection";
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// The value of a variable as its server reports it; "" where it cannot be said in every sql_mode.
std::string literal_of(const mysql::SessionTrackEntry& entry) {
    if (entry.value.find_first_of("'\"\\") != std::string_view::npos || !is_ascii(entry.value)) {
        return "";
    }
    if (entry.value.empty() && is_of_character_set(entry.name)) {
        return "NULL";
    }
    return "'" + std::string(entry.value) + "'";
}

bool is_quoted_user_variable(const StateEntry& entry) {
    return entry.kind == user_variable && entry.statement.find_first_of("'\"") != std::string::npos;
}

// Both may be names of one variable.
bool have_two_names(const StateEntry& left, const StateEntry& right) {
    return std::ranges::any_of(
        std::array{"storage_engine", "isolation", "read_only"},
        [&](std::string_view ending) { return left.name.ends_with(ending) && right.name.ends_with(ending); }
    );
}

// It was said already in the same words, and nothing behind it can have changed it: frameworks say the same
// again and again.
bool says_nothing_new(const std::vector<StateEntry>& entries, const StateEntry& said) {
    auto known = std::ranges::find_if(entries, [&](const StateEntry& entry) { return entry.replaces(said); });
    if (known == entries.end() || known->statement != said.statement) {
        return false;
    }
    return std::none_of(known + 1, entries.end(), [&](const StateEntry& later) {
        bool is_read_anew = changes_literals(later) && (changes_literals(said) || depends_on_literals(said));
        return is_read_anew || have_two_names(later, said);
    });
}

}  // namespace

void SessionState::begin(std::string database, mysql::TextEncoding encoding, const mysql::OkPacket& login) {
    *this = SessionState{};
    told_.database = std::move(database);
    login_encoding_ = encoding;
    settings_.encoding = encoding;
    note_status(login.status);
}

void SessionState::reset(const mysql::OkPacket& ok) {
    told_.carried = nullptr;
    last_gtid_.reset();
    pins_ = {};
    settings_.encoding = login_encoding_;
    has_next_characteristics_ = false;
    note_status(ok.status);
}

void SessionState::note_status(uint16_t status) {
    status_ = status;
    told_.is_autocommit = (status & mysql::kStatusAutocommit) != 0;
    settings_.has_backslash_escapes = (status & mysql::kStatusNoBackslashEscapes) == 0;
    settings_.has_ansi_quotes = (status & mysql::kStatusAnsiQuotes) != 0;
}

void SessionState::note_ok(
    const mysql::OkPacket& ok,
    const StatementEffects& effects,
    mysql::Capabilities agreed
) {
    note_status(ok.status);
    bool is_changed = (ok.status & mysql::kStatusSessionStateChanged) != 0;
    if (is_changed && ok.session_track.empty()) {
        is_token_short_ = true;  // an EOF has no room for what changed
    }
    if (mysql::has(agreed, mysql::kSessionTrack)) {
        note_track(ok.session_track, effects);
    }
}

void SessionState::note_error(const StatementEffects& effects) {
    // An ERR has no session track, and what a procedure committed before it stays.
    is_token_short_ = is_token_short_ || !effects.is_read;
    pins_.add(effects.pins);
}

void SessionState::note_success(const StatementEffects& effects) {
    note_entries(effects.entries);
    pins_.remove(effects.releases);
    pins_.add(effects.pins);
    switch (effects.transaction) {
        case TransactionEffect::next_read_only:
        case TransactionEffect::next_other: has_next_characteristics_ = true; break;
        default:
            bool begins_none = effects.verb == Verb::set || effects.verb == Verb::use ||
                               effects.verb == Verb::show || effects.verb == Verb::prepare;
            has_next_characteristics_ = has_next_characteristics_ && begins_none;
            break;
    }
}

void SessionState::select_database(std::string_view name) {
    told_.database = name;
    if (!is_ascii(name) && settings_.encoding != mysql::TextEncoding::utf8) {
        pins_.add(Pin::computed_variable);  // another connection may read the name in other characters
    }
}

void SessionState::note_primary_lost() {
    status_ &= static_cast<uint16_t>(~(mysql::kStatusInTransaction | mysql::kStatusInReadOnlyTransaction));
    has_next_characteristics_ = false;
    is_token_short_ = true;
}

void SessionState::take_position(const mysql::GtidPosition& position) {
    if (!token_.merge(position)) {
        token_ = position;
    }
    is_token_short_ = false;
}

void SessionState::publish_token() {
    std::string statement = std::format("SET @{} = ", kTokenVariable);
    if (token_.is_empty()) {
        statement += "NULL";
    } else {
        // Without quotes, so that it means the same whatever is said of characters later.
        std::string text;
        token_.append_to(text);
        statement += "_latin1 0x";
        statement += core::to_hex(std::as_bytes(std::span(text)));
    }
    put({
        .kind = StateEntry::Kind::user_variable,
        .name = std::string(kTokenVariable),
        .statement = std::move(statement),
    });
}

// Said again one by one, a text would be read by the rules that stand before it in the same SET.
void SessionState::note_entries(const std::vector<StateEntry>& said) {
    bool has_changed = false;
    for (const StateEntry& entry : said) {
        if (sets_token(entry)) {
            auto token = token_of(entry);
            is_token_short_ = is_token_short_ || !token || !token_.merge(*token);
            continue;
        }
        if (has_changed && depends_on_literals(entry)) {
            pins_.add(Pin::computed_variable);
        }
        has_changed = has_changed || changes_literals(entry);
        // With it, a plain SELECT asks for LAST_INSERT_ID().
        if (entry.name == "sql_auto_is_null" && !entry.statement.ends_with("= 0")) {
            pins_.add(Pin::last_insert_id);
        }
        put(entry);
    }
}

void SessionState::put(StateEntry entry) {
    std::vector<StateEntry> entries;
    if (told_.carried != nullptr) {
        const std::vector<StateEntry>& present = told_.carried->entries;
        if (says_nothing_new(present, entry)) {
            return;
        }
        entries = present;
    }
    // Said again elsewhere, a text of earlier would be read by the later rules.
    if (changes_literals(entry) && std::ranges::any_of(entries, is_quoted_user_variable)) {
        pins_.add(Pin::user_variable);
    }
    std::erase_if(entries, [&](const StateEntry& known) { return known.replaces(entry); });
    size_t bytes = entry.statement.size();
    for (const StateEntry& known : entries) {
        bytes += known.statement.size();
    }
    if (entries.size() >= kEntriesMax || bytes > kEntryBytesMax) {
        pins_.add(entry.kind == user_variable ? Pin::user_variable : Pin::computed_variable);
    } else {
        entries.push_back(std::move(entry));
    }
    told_.carried = entries.empty() ? nullptr : std::make_shared<const CarriedState>(std::move(entries));
}

void SessionState::note_track(std::string_view entries, const StatementEffects& effects) {
    mysql::SessionTrackReader reader(entries);
    mysql::SessionTrackEntry entry;
    while (reader.next(entry)) {
        switch (entry.type) {
            case mysql::SessionTrackType::system_variable: note_variable(entry, effects); break;
            case mysql::SessionTrackType::schema: select_database(entry.value); break;
            case mysql::SessionTrackType::state_change: {
                // A procedure, a trigger or a function has made what its caller's text does not tell.
                bool is_told = effects.verb == Verb::set || effects.verb == Verb::use ||
                               effects.verb == Verb::prepare || !effects.pins.is_empty();
                if (!is_told) {
                    pins_.add(Pin::temporary_table);
                }
                break;
            }
            default: break;
        }
    }
    if (!reader.is_good()) {
        is_token_short_ = true;
        pins_.add(Pin::unclear_text);
    }
}

void SessionState::note_variable(const mysql::SessionTrackEntry& entry, const StatementEffects& effects) {
    if (entry.name == "last_gtid") {
        auto gtid = mysql::read_gtid(entry.value);
        if (!entry.value.empty() && (!gtid || !token_.merge(*gtid))) {
            is_token_short_ = true;
        }
        last_gtid_ = gtid ? gtid : last_gtid_;
        return;
    }
    if (variable_care(entry.name) != VariableCare::reported) {
        return;
    }
    if (entry.name == "character_set_client") {
        settings_.encoding = mysql::text_encoding_of(entry.value);
    }
    bool is_captured = std::ranges::any_of(effects.entries, [&](const StateEntry& said) {
        bool says_names = said.kind == names || said.kind == character_set;
        return (says_names && is_of_character_set(entry.name)) || said.name == entry.name;
    });
    if (is_captured) {
        return;
    }
    std::string literal = literal_of(entry);
    if (literal.empty()) {
        pins_.add(Pin::computed_variable);
        return;
    }
    put({
        .kind = system_variable,
        .name = std::string(entry.name),
        .statement = "SET SESSION " + std::string(entry.name) + " = " + literal,
    });
}

}  // namespace sql

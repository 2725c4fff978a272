#include "node/verbs/migration_plan.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <format>
#include <map>
#include <memory>

#include "cluster/durable_file.h"
#include "mysql/sql_tokens.h"
#include "node/config/names.h"

namespace node {

namespace {

using core::ErrorKind;
using core::fail;

constexpr size_t kMigrationBytesMax = 1 << 20;
constexpr size_t kMigrationsMax = 10'000;
constexpr size_t kMigrationNameMax = 200;

// Leading digits and what follows them.
core::Result<uint32_t> number_of(const std::string& name) {
    uint32_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    bool is_named = error == std::errc() && (*end == '_' || *end == '-' || *end == '.');
    if (!is_named || !is_name(name, kMigrationNameMax)) {
        return fail(
            ErrorKind::invalid,
            name + ": a migration's name is a number, \"_\" and letters or digits, as 0001_users.sql"
        );
    }
    return number;
}

core::Result<std::vector<std::string>> migration_names(const std::string& directory) {
    std::vector<std::string> names;
    std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), ::closedir);
    if (opened == nullptr) {
        int code = errno;
        if (code == ENOENT) {
            return names;
        }
        return fail(core::Error::of_errno(code, "reading " + directory));
    }
    while (const dirent* entry = ::readdir(opened.get())) {
        std::string name = entry->d_name;
        if (name.ends_with(".sql") && !name.starts_with('.')) {
            names.push_back(std::move(name));
        }
        if (names.size() > kMigrationsMax) {
            return fail(ErrorKind::too_large, directory + " has more than 10,000 migrations");
        }
    }
    return names;
}

using RecordMap = std::map<std::pair<uint32_t, uint32_t>, const RecordedStatement*>;

bool is_whole(const MigrationFile& file, const RecordMap& records, uint32_t count) {
    for (uint32_t at = 0; at < count; ++at) {
        auto found = records.find({file.number, at});
        if (found == records.end() || !found->second->is_done) {
            return false;
        }
    }
    return true;
}

}  // namespace

core::Result<std::vector<std::string>> split_script(std::string_view text) {
    std::vector<std::string> statements;
    mysql::TokenReader reader(text, {});
    size_t begin = std::string_view::npos;
    for (;;) {
        mysql::Token token = reader.next();
        if (token.kind == mysql::TokenKind::unclear) {
            return fail(ErrorKind::invalid, "quotes or a comment do not end");
        }
        bool is_end = token.kind == mysql::TokenKind::end;
        if (is_end || token.is_symbol(';')) {
            if (begin != std::string_view::npos) {
                size_t end = is_end ? text.size() : reader.position() - 1;
                std::string_view statement = text.substr(begin, end - begin);
                statements.emplace_back(statement.substr(0, statement.find_last_not_of(" \t\r\n") + 1));
            }
            begin = std::string_view::npos;
        } else if (begin == std::string_view::npos) {
            if (mysql::equals_ignoring_case(token.text, "delimiter")) {
                return fail(
                    ErrorKind::unsupported,
                    "DELIMITER: programs with semicolons are not taken apart"
                );
            }
            begin = static_cast<size_t>(token.text.data() - text.data());
        }
        if (is_end) {
            return statements;
        }
    }
}

core::Result<std::vector<MigrationFile>> read_migrations(const std::string& directory) {
    TRY(auto names, migration_names(directory));
    std::vector<MigrationFile> files;
    for (const std::string& name : names) {
        TRY(uint32_t number, number_of(name));
        std::string path = directory + "/" + name;
        TRY(auto text, cluster::read_small_file(path, kMigrationBytesMax));
        auto statements = split_script(text.value_or(""));
        if (!statements) {
            return fail(std::move(statements).error().within(path));
        }
        files.push_back({.number = number, .name = name, .statements = *std::move(statements)});
    }
    std::ranges::sort(files, {}, &MigrationFile::number);
    auto same = std::ranges::adjacent_find(files, {}, &MigrationFile::number);
    if (same != files.end()) {
        return fail(
            ErrorKind::conflict,
            same->name + " and " + std::next(same)->name + " have the same number"
        );
    }
    return files;
}

std::string digest_of(std::string_view statement) {
    // FNV-1a
    uint64_t hash = 14695981039346656037ULL;
    for (char byte : statement) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
    }
    return std::format("{:016x}", hash);
}

core::Result<std::vector<MigrationStep>> plan_migrations(
    const std::vector<MigrationFile>& files,
    const std::vector<RecordedStatement>& recorded
) {
    RecordMap records;
    std::map<uint32_t, uint32_t> counts;
    for (const RecordedStatement& one : recorded) {
        records[{one.number, one.statement}] = &one;
        counts[one.number] = one.count;
    }
    std::vector<MigrationStep> steps;
    const MigrationFile* first_new = nullptr;
    for (const MigrationFile& file : files) {
        auto count = counts.find(file.number);
        if (count != counts.end() && first_new != nullptr) {
            return fail(
                ErrorKind::conflict,
                std::format(
                    "{} is new, but {} has begun already: give it a higher number",
                    first_new->name,
                    file.name
                )
            );
        }
        bool is_done = count != counts.end() && is_whole(file, records, count->second);
        if (is_done && count->second != file.statements.size()) {
            return fail(
                ErrorKind::conflict,
                file.name + " has another number of statements than were run: write a new migration instead"
            );
        }
        for (uint32_t at = 0; at < file.statements.size(); ++at) {
            auto found = records.find({file.number, at});
            bool is_same = found != records.end() && found->second->digest == digest_of(file.statements[at]);
            if (found != records.end() && found->second->is_done) {
                if (!is_same) {
                    return fail(
                        ErrorKind::conflict,
                        std::format(
                            "{}: statement {} was run and reads otherwise now: write a new migration instead",
                            file.name,
                            at + 1
                        )
                    );
                }
                continue;
            }
            steps.push_back({.file = &file, .statement = at, .was_begun = is_same});
        }
        // What was not whole is begun; whatever comes behind it must be new.
        if (!is_done && first_new == nullptr && !file.statements.empty()) {
            first_new = &file;
        }
    }
    return steps;
}

bool says_it_was_done(uint16_t error, std::string_view statement) {
    // Exists already: schema, table, column, key, procedure, trigger, foreign key; is not there (any more).
    constexpr std::array<uint16_t, 12>
        kAlready{1007, 1008, 1050, 1051, 1060, 1061, 1091, 1304, 1305, 1359, 1360, 1826};
    constexpr uint16_t kNoSuchColumn = 1054;
    constexpr uint16_t kNoSuchTable = 1146;
    if (std::ranges::contains(kAlready, error)) {
        return true;
    }
    if (error != kNoSuchColumn && error != kNoSuchTable) {
        return false;
    }
    // The old name is gone.
    mysql::TokenReader reader(statement, {});
    mysql::Token first = reader.next();
    bool is_renaming = mysql::equals_ignoring_case(first.text, "rename");
    bool is_altering = mysql::equals_ignoring_case(first.text, "alter");
    for (mysql::Token token = reader.next();
         is_altering && !is_renaming && token.kind != mysql::TokenKind::end &&
         token.kind != mysql::TokenKind::unclear;
         token = reader.next()) {
        is_renaming = mysql::equals_ignoring_case(token.text, "rename") ||
                      mysql::equals_ignoring_case(token.text, "change");
    }
    return is_renaming;
}

}  // namespace node

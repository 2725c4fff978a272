// Which migrations are to be run, by what the files say and what is recorded.
#include "node/verbs/migration_plan.h"

#include <doctest/doctest.h>

#include "runtime/temporary_directory.h"

namespace node {
namespace {

using Texts = std::vector<std::string>;

Texts statements_of(std::string_view text) {
    auto split = split_script(text);
    return split ? *split : Texts{"failed: " + split.error().context()};
}

std::vector<MigrationFile> two_files() {
    return {
        {.number = 1,
         .name = "0001_a.sql",
         .statements = {"CREATE TABLE a (n INT)", "INSERT INTO a VALUES (1)"}},
        {.number = 2, .name = "0002_b.sql", .statements = {"CREATE TABLE b (n INT)"}},
    };
}

RecordedStatement record_of(const MigrationFile& file, uint32_t at, bool is_done = true) {
    return {
        .number = file.number,
        .statement = at,
        .count = static_cast<uint32_t>(file.statements.size()),
        .digest = digest_of(file.statements[at]),
        .is_done = is_done,
    };
}

// "1/0 1/1 2/0", a "?" behind one that was begun; or the failure.
std::string plan_of(const std::vector<MigrationFile>& files, const std::vector<RecordedStatement>& recorded) {
    auto steps = plan_migrations(files, recorded);
    if (!steps) {
        return steps.error().context();
    }
    std::string text;
    for (const MigrationStep& step : *steps) {
        text += (text.empty() ? "" : " ") + std::to_string(step.file->number) + "/" +
                std::to_string(step.statement) + (step.was_begun ? "?" : "");
    }
    return text;
}

TEST_CASE("a script is cut at its semicolons, not at those in quotes and comments") {
    CHECK(statements_of("") == Texts{});
    CHECK(statements_of(" ; ;\n") == Texts{});
    CHECK(statements_of("SELECT 1") == Texts{"SELECT 1"});
    CHECK(statements_of("SELECT 1 ;\n-- a; b\nSELECT ';' ; # x;\n") == Texts{"SELECT 1", "SELECT ';'"});
    CHECK(statements_of("/* ; */ SELECT `;` /* ; */ FROM a;") == Texts{"SELECT `;` /* ; */ FROM a"});
    CHECK(statements_of("SELECT 'a").front().starts_with("failed: "));
    CHECK(statements_of("DELIMITER //\nSELECT 1//").front().starts_with("failed: "));
}

TEST_CASE("what is not recorded is to be run, in order") {
    auto files = two_files();
    CHECK(plan_of(files, {}) == "1/0 1/1 2/0");
    CHECK(plan_of(files, {record_of(files[0], 0)}) == "1/1 2/0");
    CHECK(plan_of(files, {record_of(files[0], 0), record_of(files[0], 1, false)}) == "1/1? 2/0");
    CHECK(plan_of(files, {record_of(files[0], 0), record_of(files[0], 1)}) == "2/0");
    CHECK(plan_of(files, {record_of(files[0], 0), record_of(files[0], 1), record_of(files[1], 0)}) == "");
}

TEST_CASE("what was run cannot be changed; what was not, can") {
    auto files = two_files();
    std::vector<RecordedStatement> done{record_of(files[0], 0), record_of(files[0], 1, false)};
    auto changed = two_files();
    changed[0].statements[1] = "INSERT INTO a VALUES (2)";
    CHECK(plan_of(changed, done) == "1/1 2/0");
    changed[0].statements[0] = "CREATE TABLE a (n BIGINT)";
    CHECK(plan_of(changed, done).contains("0001_a.sql: statement 1 was run and reads otherwise now"));
    done[1].is_done = true;
    auto longer = two_files();
    longer[0].statements.emplace_back("INSERT INTO a VALUES (3)");
    CHECK(plan_of(longer, done).contains("another number of statements"));
}

TEST_CASE("a new file does not go before one that has begun") {
    auto files = two_files();
    CHECK(plan_of(files, {record_of(files[1], 0)}).contains("0001_a.sql is new, but 0002_b.sql"));
}

TEST_CASE("errors that say that a statement was done before") {
    CHECK(says_it_was_done(1050, "CREATE TABLE a (n INT)"));
    CHECK(says_it_was_done(1060, "ALTER TABLE a ADD n INT"));
    CHECK(says_it_was_done(1146, "RENAME TABLE a TO b"));
    CHECK(says_it_was_done(1054, "ALTER TABLE a RENAME COLUMN n TO m"));
    CHECK_FALSE(says_it_was_done(1054, "ALTER TABLE a ADD INDEX (m)"));
    CHECK_FALSE(says_it_was_done(1146, "INSERT INTO a VALUES (1)"));
    CHECK_FALSE(says_it_was_done(1064, "CREATE TABEL a (n INT)"));
}

TEST_CASE("files are read in the order of their numbers") {
    runtime::TemporaryDirectory directory;
    CHECK(read_migrations(directory / "none")->empty());
    directory.write("10_late.sql", "SELECT 10;");
    directory.write("9_early.sql", "SELECT 9; SELECT 99");
    directory.write("README.md", "not one");
    auto files = read_migrations(directory.path());
    REQUIRE(files);
    REQUIRE(files->size() == 2);
    CHECK(files->front().name == "9_early.sql");
    CHECK(files->front().statements == Texts{"SELECT 9", "SELECT 99"});
    directory.write("users.sql", "SELECT 1");
    CHECK_FALSE(read_migrations(directory.path()));
}

TEST_CASE("two files of one number are refused") {
    runtime::TemporaryDirectory directory;
    directory.write("1_a.sql", "SELECT 1");
    directory.write("01_b.sql", "SELECT 1");
    auto files = read_migrations(directory.path());
    REQUIRE_FALSE(files);
    CHECK(files.error().context().contains("have the same number"));
}

}  // namespace
}  // namespace node

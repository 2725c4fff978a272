// Numbered SQL files that bring a site's schema from one state to the next, and what of them is still to be
// done. Pure but for reading the files.
//
//   migrations/0001_users.sql, 0002_index.sql … beside the configuration file
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace node {

struct MigrationFile {
    uint32_t number = 0;
    std::string name{};  // "0001_users.sql"
    std::vector<std::string> statements{};
};

// A statement as the table trilith_migrations has it. One that is begun and not done: whether it was done is
// not known.
struct RecordedStatement {
    uint32_t number = 0;
    uint32_t statement = 0;  // from 0 on
    uint32_t count = 0;      // statements of its file
    std::string digest{};
    bool is_done = false;
};

struct MigrationStep {
    const MigrationFile* file = nullptr;
    uint32_t statement = 0;
    bool was_begun = false;  // before, and nobody knows how it ended
};

// The statements of a text, without the semicolons between them. Fails for quotes or comments that do not
// end, and for DELIMITER, which is the client program's.
[[nodiscard]] core::Result<std::vector<std::string>> split_script(std::string_view text);

// The directory's files in the order of their numbers; none where there is no directory. At most 10,000 files
// of 1 MiB. Fails where a name does not begin with a number, two have the same one, or a file cannot be read.
[[nodiscard]] core::Result<std::vector<MigrationFile>> read_migrations(const std::string& directory);

// 16 digits that change with the text.
[[nodiscard]] std::string digest_of(std::string_view statement);

// What is to be done, in its order. Points into `files`. Fails with a sentence where a statement that is done
// reads otherwise now, where a file that is done has another number of statements, and where a new file
// stands before one that is done.
[[nodiscard]] core::Result<std::vector<MigrationStep>> plan_migrations(
    const std::vector<MigrationFile>& files,
    const std::vector<RecordedStatement>& recorded
);

// Whether the error, to a statement that was begun before, says that it was done then: the table is there
// already, the column is gone.
[[nodiscard]] bool says_it_was_done(uint16_t error, std::string_view statement);

}  // namespace node

// A file that was found, as the answer to a GET or HEAD: which representation, all of it or a part, or
// nothing because the client has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/random.h"
#include "http/local_answer.h"
#include "web/file_record.h"

namespace web {

// Why a file is not sent.
struct FileRefusal {
    uint16_t status = 0;  // 0: it is, the answer is described
    std::string_view reason{};
};

// Fills `answer`, which must be empty: 200, 206 or 304; its owner is `file`. Or refuses with 406, 412 or 416,
// and what fields the refusal needs are in answer.made_fields.
[[nodiscard]] FileRefusal answer_with_file(
    std::shared_ptr<const FileRecord> file,
    const http::LocalRequest& request,
    core::Random& boundaries,
    http::LocalAnswer& answer
);

// The file as the page of an error: as it is, without validators, whatever the request's conditions. Adds to
// answer.made_fields.
void answer_with_page(std::shared_ptr<const FileRecord> file, uint16_t status, http::LocalAnswer& answer);

}  // namespace web

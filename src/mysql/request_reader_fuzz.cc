// Any bytes from a client: in pieces of any size they are the same requests.
#include <algorithm>
#include <string>

#include "core/panic.h"
#include "mysql/request_reader.h"

namespace mysql {
namespace {

struct Walked {
    RequestState state = RequestState::more_bytes;
    size_t consumed = 0;
};

Walked walk(std::string_view bytes, RequestForm form, size_t step) {
    RequestReader reader({.payload_max = 1 << 20, .file_max = 1 << 20});
    reader.begin(form, 0);
    Walked all;
    size_t end = 0;
    while (all.state == RequestState::more_bytes && end < bytes.size()) {
        end = std::min(end + step, bytes.size());
        const std::string piece(bytes.substr(all.consumed, end - all.consumed));
        if (form == RequestForm::command && all.consumed == 0) {
            const RequestHead head = reader.head(piece);
            ASSERT(head.payload.size() <= piece.size());
        }
        const RequestStep read = reader.read(piece);
        ASSERT(read.consumed <= piece.size());
        all.consumed += read.consumed;
        all.state = read.state;
    }
    return all;
}

}  // namespace
}  // namespace mysql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const auto form : {mysql::RequestForm::command, mysql::RequestForm::file}) {
        const mysql::Walked whole = mysql::walk(bytes, form, std::max<size_t>(size, 1));
        for (const size_t step : {size_t{1}, size_t{3}, size / 2 + 1}) {
            const mysql::Walked split = mysql::walk(bytes, form, step);
            ASSERT(split.state == whole.state);
            ASSERT(split.consumed == whole.consumed);
        }
    }
    return 0;
}

// Any bytes as a form: fields lie in its memory, are UTF-8, never longer than the text, and never too many.
#include "core/panic.h"
#include "core/utf8.h"
#include "sdk/form.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    std::vector<char> exact(data, data + size);
    auto form = trilith::sdk::Form::read({exact.data(), exact.size()});
    if (!form) {
        return 0;
    }
    size_t total = 0;
    for (const auto& field : form->fields()) {
        total += field.name.size() + field.value.size();
        ASSERT(form->find(field.name).has_value());
        ASSERT(core::is_utf8(field.name));
        ASSERT(core::is_utf8(field.value));
    }
    ASSERT(total <= size);
    ASSERT(form->fields().size() <= trilith::sdk::Form::kFieldsMax);
    return 0;
}

// application/x-www-form-urlencoded (WHATWG URL Standard section 5.1): what stands behind the "?" of a
// target, and the body that an HTML form sends.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace trilith::sdk {

class Form {
public:
    static constexpr size_t kFieldsMax = 1000;

    struct Field {
        std::string_view name;
        std::string_view value;
    };

    // invalid: what is decoded is not UTF-8, in which browsers send the forms of a page in UTF-8; too_large:
    // above kFieldsMax fields. Any other text is a form. Empty pieces ("a=1&&b=2") are none. Keeps a copy.
    [[nodiscard]] static core::Result<Form> read(std::string_view text);

    // The first of the name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    [[nodiscard]] std::span<const Field> fields() const { return fields_; }

private:
    std::unique_ptr<char[]> decoded_;
    std::vector<Field> fields_;
};

}  // namespace trilith::sdk

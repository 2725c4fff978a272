#include "sql/word_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "mysql/sql_tokens.h"

namespace sql {

namespace {

constexpr size_t kWordBytesMax = 32;
constexpr size_t kSlots = 2048;  // three times the words: short ways

// Built-in functions whose value depends on their arguments, the data, the clock, chance, and session state
// that follows the session; every one of them resolves in MariaDB 10.11. Not here, though built in: what
// sleeps or waits, reads files or keys of a server, answers for the connection or the server (Word),
// DEFAULT() (evaluating a column's default may draw from a sequence).
constexpr std::string_view kPureFunctions =
    "abs acos add_months addtime aes_decrypt aes_encrypt asin ascii atan atan2 avg bin bit_count bit_length "
    "ceil ceiling char char_length character_length charset chr coalesce coercibility collation column_add "
    "column_check column_create column_delete column_exists column_get column_json column_list compress "
    "concat "
    "concat_operator_oracle concat_ws contains conv convert convert_tz cos cot crc32 crc32c crosses "
    "current_date current_time current_timestamp database date datediff day dayname dayofmonth dayofweek "
    "dayofyear decode decode_histogram decode_oracle degrees elt encode encrypt exp export_set field "
    "find_in_set floor format from_base64 from_days from_unixtime get_format greatest hex hour if ifnull "
    "inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv4_compat is_ipv4_mapped "
    "is_ipv6 isnull json_array json_array_append json_array_insert json_compact json_contains "
    "json_contains_path json_depth json_detailed json_equals json_exists json_extract json_insert json_keys "
    "json_length json_loose json_merge json_merge_patch json_merge_preserve json_normalize json_object "
    "json_overlaps json_pretty json_query json_quote json_remove json_replace json_search json_set "
    "json_table "
    "json_type json_unquote json_valid json_value last_day last_value lcase least left length lengthb ln "
    "localtime localtimestamp locate log log10 log2 lower lpad lpad_oracle ltrim ltrim_oracle make_set "
    "makedate "
    "maketime match md5 microsecond minute mod month monthname name_const natural_sort_key nullif nvl nvl2 "
    "oct "
    "octet_length old_password ord overlaps password period_add period_diff pi pow power quarter quote "
    "radians "
    "rand random_bytes regexp_instr regexp_replace regexp_substr repeat replace replace_oracle reverse right "
    "round row rownum rpad rpad_oracle rtrim rtrim_oracle schema sec_to_time second sformat sha sha1 sha2 "
    "sign "
    "sin soundex space sqrt str_to_date strcmp substr_oracle substring_index subtime sys_guid sysdate tan "
    "time "
    "time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char to_days "
    "to_seconds "
    "truncate ucase uncompress uncompressed_length unhex unix_timestamp upper utc_date utc_time "
    "utc_timestamp "
    "uuid value values week weekday weekofyear weight_string year yearweek "
    "area asbinary astext aswkb aswkt boundary buffer centroid convexhull dimension disjoint endpoint "
    "envelope "
    "equals exteriorring geomcollfromtext geomcollfromwkb geometrycollection geometrycollectionfromtext "
    "geometrycollectionfromwkb geometryfromtext geometryfromwkb geometryn geometrytype geomfromtext "
    "geomfromwkb "
    "glength interiorringn intersects isclosed isempty isring issimple linefromtext linefromwkb linestring "
    "linestringfromtext linestringfromwkb mbrcontains mbrdisjoint mbrequal mbrequals mbrintersects "
    "mbroverlaps "
    "mbrtouches mbrwithin mlinefromtext mlinefromwkb mpointfromtext mpointfromwkb mpolyfromtext mpolyfromwkb "
    "multilinestring multilinestringfromtext multilinestringfromwkb multipoint multipointfromtext "
    "multipointfromwkb multipolygon multipolygonfromtext multipolygonfromwkb numgeometries numinteriorrings "
    "numpoints point pointfromtext pointfromwkb pointn pointonsurface polyfromtext polyfromwkb polygon "
    "polygonfromtext polygonfromwkb srid startpoint touches within x y "
    "st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer st_centroid "
    "st_contains "
    "st_convexhull st_crosses st_difference st_dimension st_disjoint st_distance st_distance_sphere "
    "st_endpoint "
    "st_envelope st_equals st_exteriorring st_geomcollfromtext st_geomcollfromwkb "
    "st_geometrycollectionfromtext st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb "
    "st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_interiorringn "
    "st_intersection st_intersects st_isclosed st_isempty st_isring st_issimple st_length st_linefromtext "
    "st_linefromwkb st_linestringfromtext st_linestringfromwkb st_mlinefromtext st_mlinefromwkb "
    "st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb st_multilinestringfromtext "
    "st_multilinestringfromwkb st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext "
    "st_multipolygonfromwkb st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromtext "
    "st_pointfromwkb st_pointn st_pointonsurface st_polyfromtext st_polyfromwkb st_polygonfromtext "
    "st_polygonfromwkb st_relate st_srid st_startpoint st_symdifference st_touches st_union st_within st_x "
    "st_y";

// Of these, sql/lex.h makes keywords only right before "(".
constexpr std::string_view kAdjacentFunctions =
    "adddate bit_and bit_or bit_xor cast count cume_dist curdate curtime date_add date_format date_sub "
    "dense_rank extract first_value group_concat json_arrayagg json_objectagg lag lead max median mid min "
    "now "
    "nth_value ntile percent_rank percentile_cont percentile_disc position rank row_number std stddev "
    "stddev_pop stddev_samp subdate substr substring sum trim trim_oracle var_pop var_samp variance";

// Keywords are never names of unqualified stored functions (sql_yacc.yy: function_call_generic takes names
// only).
constexpr std::string_view kKeywords =
    "all and any as between binary by case columns distinct distinctrow div else except exists from having "
    "in "
    "index intersect interval join key like mod not of on or over partition path regexp restrict rlike row "
    "select some straight_join then union using values when where xor limit offset "
    "bigint bit blob char character datetime date dec decimal double enum fixed float int integer longtext "
    "mediumint mediumtext nchar number numeric nvarchar precision real set signed smallint text time "
    "timestamp "
    "tinyint unsigned varbinary varchar varchar2 varcharacter varying year for against";

struct Special {
    std::string_view name;
    Word word;
};

constexpr Special kSpecials[] = {
    {"select", Word::select},
    {"with", Word::with},
    {"values", Word::values},
    {"insert", Word::insert},
    {"replace", Word::replace},
    {"update", Word::update},
    {"delete", Word::delete_},
    {"load", Word::load},
    {"call", Word::call},
    {"do", Word::do_},
    {"begin", Word::begin},
    {"start", Word::start},
    {"commit", Word::commit},
    {"rollback", Word::rollback},
    {"savepoint", Word::savepoint},
    {"release", Word::release},
    {"xa", Word::xa},
    {"set", Word::set},
    {"use", Word::use},
    {"show", Word::show},
    {"describe", Word::describe},
    {"desc", Word::describe},
    {"explain", Word::explain},
    {"help", Word::help},
    {"analyze", Word::analyze},
    {"create", Word::create},
    {"alter", Word::alter},
    {"drop", Word::drop},
    {"truncate", Word::truncate},
    {"rename", Word::rename},
    {"grant", Word::grant},
    {"revoke", Word::revoke},
    {"lock", Word::lock},
    {"unlock", Word::unlock},
    {"backup", Word::backup},
    {"flush", Word::flush},
    {"reset", Word::reset},
    {"prepare", Word::prepare},
    {"execute", Word::execute},
    {"deallocate", Word::deallocate},
    {"handler", Word::handler},
    {"kill", Word::kill},
    {"check", Word::check},
    {"checksum", Word::check},
    {"optimize", Word::check},
    {"repair", Word::check},
    {"get", Word::get},
    {"signal", Word::get},
    {"resignal", Word::get},
    {"change", Word::admin},
    {"stop", Word::admin},
    {"purge", Word::admin},
    {"install", Word::admin},
    {"uninstall", Word::admin},
    {"shutdown", Word::admin},
    {"binlog", Word::admin},
    {"cache", Word::admin},
    {"into", Word::into},
    {"for", Word::for_},
    {"procedure", Word::procedure},
    {"next", Word::next},
    {"previous", Word::previous},
    {"sql_calc_found_rows", Word::sql_calc_found_rows},
    {"limit", Word::limit},
    {"fetch", Word::limit},
    {"from", Word::from},
    {"extract", Word::call_with_from},
    {"mid", Word::call_with_from},
    {"substr", Word::call_with_from},
    {"substring", Word::call_with_from},
    {"trim", Word::call_with_from},
    {"trim_oracle", Word::call_with_from},
    {"currval", Word::dotted_sequence},
    {"get_lock", Word::get_lock},
    {"release_lock", Word::release_lock},
    {"release_all_locks", Word::release_all_locks},
    {"is_free_lock", Word::ask_lock},
    {"is_used_lock", Word::ask_lock},
    {"last_insert_id", Word::last_insert_id},
    {"row_count", Word::row_count},
    {"found_rows", Word::found_rows},
    {"nextval", Word::next_value},
    {"setval", Word::next_value},
    {"lastval", Word::last_value_of_sequence},
    {"connection_id", Word::connection_id},
    {"user", Word::server_function},
    {"session_user", Word::server_function},
    {"system_user", Word::server_function},
    {"version", Word::server_function},
    {"uuid_short", Word::server_function},
    {"des_encrypt", Word::server_function},
    {"des_decrypt", Word::server_function},
    {"binlog_gtid_pos", Word::server_function},
    {"current_user", Word::server_function_without_call},
    {"current_role", Word::server_function_without_call},
    {"extractvalue", Word::xpath},
    {"updatexml", Word::xpath},
    {"information_schema", Word::server_schema},
    {"performance_schema", Word::server_schema},
    {"mysql", Word::server_schema},
    {"sys", Word::server_schema},
};

constexpr uint64_t load_bytes(const char* source, size_t count) {
    uint64_t value = 0;
    if consteval {
        for (size_t index = 0; index < count; ++index) {
            value |= uint64_t{static_cast<unsigned char>(source[index])} << (8 * index);
        }
    } else {
        std::memcpy(&value, source, count);
    }
    return value;
}

// First and last bytes in lower case (what folds beside letters is told apart by the comparison), and the
// length.
constexpr uint32_t hash_of(std::string_view text) {
    static_assert(std::endian::native == std::endian::little);
    constexpr uint64_t kLower = 0x2020202020202020ULL;
    const char* bytes = text.data();
    const size_t size = text.size();
    uint64_t head = 0;
    uint64_t tail = 0;
    if (size >= 8) {
        head = load_bytes(bytes, 8);
        tail = load_bytes(bytes + size - 8, 8);
    } else if (size >= 4) {
        head = load_bytes(bytes, 4);
        tail = load_bytes(bytes + size - 4, 4);
    } else if (size > 0) {
        head = load_bytes(bytes, 1);
        tail = load_bytes(bytes + size / 2, 1) | load_bytes(bytes + size - 1, 1) << 8;
    }
    uint64_t mixed = ((head | kLower) + size) * 0x9E3779B97F4A7C15ULL;
    mixed ^= std::rotr(((tail | kLower) ^ size) * 0xC2B2AE3D27D4EB4FULL, 31);
    mixed *= 0x165667B19E3779F9ULL;
    return static_cast<uint32_t>(mixed >> 32);
}

struct Slot {
    std::string_view name{};
    WordEntry entry{};
};

// Open addressing; an empty name ends the way.
class WordTable {
public:
    constexpr WordTable() {
        add_all(kPureFunctions, &WordEntry::is_pure_function);
        add_all(kAdjacentFunctions, &WordEntry::is_pure_function);
        add_all(kAdjacentFunctions, &WordEntry::needs_adjacent_call);
        add_all(kKeywords, &WordEntry::is_keyword);
        for (const Special& special : kSpecials) {
            place(special.name).word = special.word;
        }
    }

    [[nodiscard]] WordEntry find(std::string_view text) const {
        for (size_t at = hash_of(text) % kSlots; !slots_[at].name.empty(); at = (at + 1) % kSlots) {
            if (mysql::equals_ignoring_case(text, slots_[at].name)) {
                return slots_[at].entry;
            }
        }
        return {};
    }

private:
    constexpr void add_all(std::string_view names, bool WordEntry::* mark) {
        while (!names.empty()) {
            const size_t size = std::min(names.find(' '), names.size());
            place(names.substr(0, size)).*mark = true;
            names.remove_prefix(std::min(size + 1, names.size()));
        }
    }

    constexpr WordEntry& place(std::string_view name) {
        size_t at = hash_of(name) % kSlots;
        while (!slots_[at].name.empty() && slots_[at].name != name) {
            at = (at + 1) % kSlots;
        }
        slots_[at].name = name;
        return slots_[at].entry;
    }

    std::array<Slot, kSlots> slots_{};
};

constexpr WordTable kTable;

}  // namespace

WordEntry find_word(std::string_view text) {
    return text.empty() || text.size() > kWordBytesMax ? WordEntry{} : kTable.find(text);
}

}  // namespace sql

// The numbers of the protocol: capabilities, status flags, commands, and the error numbers that we use or
// recognise.
#pragma once

#include <cstdint>
#include <string_view>

namespace mysql {

// Both capability words of the protocol as the low half, MariaDB's extended capabilities as the high half.
using Capabilities = uint64_t;

// Set by MySQL, and by clients that speak MySQL's dialect; a MariaDB server clears it, and then the last four
// of the reserved bytes are its extended capabilities (MariaDB KB: Connection).
constexpr Capabilities kClientMysql = uint64_t{1} << 0;
constexpr Capabilities kFoundRows = uint64_t{1} << 1;
constexpr Capabilities kLongFlag = uint64_t{1} << 2;
constexpr Capabilities kConnectWithDatabase = uint64_t{1} << 3;
constexpr Capabilities kNoSchema = uint64_t{1} << 4;
constexpr Capabilities kCompress = uint64_t{1} << 5;
constexpr Capabilities kOdbc = uint64_t{1} << 6;
constexpr Capabilities kLocalFiles = uint64_t{1} << 7;
constexpr Capabilities kIgnoreSpace = uint64_t{1} << 8;
constexpr Capabilities kProtocol41 = uint64_t{1} << 9;
constexpr Capabilities kInteractive = uint64_t{1} << 10;
constexpr Capabilities kTls = uint64_t{1} << 11;
constexpr Capabilities kIgnoreSigpipe = uint64_t{1} << 12;
constexpr Capabilities kTransactions = uint64_t{1} << 13;
constexpr Capabilities kReserved = uint64_t{1} << 14;
constexpr Capabilities kSecureConnection = uint64_t{1} << 15;
constexpr Capabilities kMultiStatements = uint64_t{1} << 16;
constexpr Capabilities kMultiResults = uint64_t{1} << 17;
constexpr Capabilities kPreparedMultiResults = uint64_t{1} << 18;
constexpr Capabilities kPluginAuth = uint64_t{1} << 19;
constexpr Capabilities kConnectAttributes = uint64_t{1} << 20;
constexpr Capabilities kLengthEncodedAuth = uint64_t{1} << 21;
constexpr Capabilities kExpiredPasswords = uint64_t{1} << 22;
constexpr Capabilities kSessionTrack = uint64_t{1} << 23;
constexpr Capabilities kDeprecateEof = uint64_t{1} << 24;
constexpr Capabilities kOptionalMetadata = uint64_t{1} << 25;  // MySQL: definitions may be left out
constexpr Capabilities kZstd = uint64_t{1} << 26;
constexpr Capabilities kQueryAttributes = uint64_t{1} << 27;  // MySQL: another layout of COM_QUERY
constexpr Capabilities kMultiFactorAuth = uint64_t{1} << 28;
constexpr Capabilities kVerifyServerCertificate = uint64_t{1} << 30;
constexpr Capabilities kRememberOptions = uint64_t{1} << 31;
// MariaDB's own.
constexpr Capabilities kProgress = uint64_t{1} << 32;  // ERR packets with number 65535 within a response
constexpr Capabilities kMultiCommand = uint64_t{1} << 33;
constexpr Capabilities kBulkExecute = uint64_t{1} << 34;
constexpr Capabilities kExtendedMetadata = uint64_t{1} << 35;  // longer column definitions
constexpr Capabilities kCacheMetadata = uint64_t{1} << 36;     // a byte more behind the column count
constexpr Capabilities kBulkUnitResults = uint64_t{1} << 37;

// What the readers of this folder do not understand. Neither side of a connection may be offered them.
constexpr Capabilities kUntranslatable = kCompress | kZstd | kOptionalMetadata | kQueryAttributes |
                                         kMultiFactorAuth | kProgress | kMultiCommand | kCacheMetadata;

[[nodiscard]] constexpr bool has(Capabilities capabilities, Capabilities wanted) {
    return (capabilities & wanted) == wanted;
}

// The status of the session in OK and EOF packets.
constexpr uint16_t kStatusInTransaction = 1;
constexpr uint16_t kStatusAutocommit = 2;
constexpr uint16_t kStatusMoreResults = 8;
constexpr uint16_t kStatusNoGoodIndex = 16;
constexpr uint16_t kStatusNoIndex = 32;
constexpr uint16_t kStatusCursorExists = 64;
constexpr uint16_t kStatusLastRowSent = 128;
constexpr uint16_t kStatusDatabaseDropped = 256;
constexpr uint16_t kStatusNoBackslashEscapes = 512;
constexpr uint16_t kStatusMetadataChanged = 1024;
constexpr uint16_t kStatusSlow = 2048;
constexpr uint16_t kStatusOutParameters = 4096;
constexpr uint16_t kStatusInReadOnlyTransaction = 8192;
constexpr uint16_t kStatusSessionStateChanged = 16384;
constexpr uint16_t kStatusAnsiQuotes = 32768;  // MariaDB
// Those that say how a session is, not how a statement ran.
constexpr uint16_t kStatusLasting = kStatusInTransaction | kStatusAutocommit | kStatusNoBackslashEscapes |
                                    kStatusInReadOnlyTransaction | kStatusAnsiQuotes;

// The first byte of a client's command. Other values may arrive: a peer's byte is cast, not checked.
enum class Command : uint8_t {
    sleep = 0,
    quit = 1,
    init_db = 2,
    query = 3,
    field_list = 4,
    create_db = 5,
    drop_db = 6,
    refresh = 7,
    shutdown = 8,
    statistics = 9,
    process_info = 10,
    connect = 11,
    process_kill = 12,
    debug = 13,
    ping = 14,
    time = 15,
    delayed_insert = 16,
    change_user = 17,
    binlog_dump = 18,
    table_dump = 19,
    connect_out = 20,
    register_replica = 21,
    statement_prepare = 22,
    statement_execute = 23,
    statement_send_long_data = 24,
    statement_close = 25,
    statement_reset = 26,
    set_option = 27,
    statement_fetch = 28,
    daemon = 29,
    binlog_dump_gtid = 30,
    reset_connection = 31,
    statement_bulk_execute = 250,
    multi = 254,
};

// The statement id that stands for "the one prepared last" (MariaDB).
constexpr uint32_t kLastPreparedStatement = 0xFFFFFFFF;

constexpr uint16_t kErrorTooManyConnections = 1040;
constexpr uint16_t kErrorHandshake = 1043;
constexpr uint16_t kErrorDatabaseAccessDenied = 1044;
constexpr uint16_t kErrorAccessDenied = 1045;
constexpr uint16_t kErrorNoDatabase = 1046;
constexpr uint16_t kErrorUnknownCommand = 1047;
constexpr uint16_t kErrorUnknownDatabase = 1049;
constexpr uint16_t kErrorServerShutdown = 1053;
constexpr uint16_t kErrorSyntax = 1064;
constexpr uint16_t kErrorNoSuchThread = 1094;
constexpr uint16_t kErrorKillDenied = 1095;
constexpr uint16_t kErrorUnknown = 1105;
constexpr uint16_t kErrorHostIsBlocked = 1129;
constexpr uint16_t kErrorHostNotAllowed = 1130;
constexpr uint16_t kErrorPacketTooLarge = 1153;
constexpr uint16_t kErrorPacketsOutOfOrder = 1156;
constexpr uint16_t kErrorNetworkRead = 1158;
constexpr uint16_t kErrorNetworkReadTimeout = 1159;
constexpr uint16_t kErrorLockWaitTimeout = 1205;
constexpr uint16_t kErrorWrongArguments = 1210;
constexpr uint16_t kErrorDeadlock = 1213;
constexpr uint16_t kErrorNotSupportedYet = 1235;
constexpr uint16_t kErrorUnknownStatement = 1243;
constexpr uint16_t kErrorUnsupportedAuthentication = 1251;
constexpr uint16_t kErrorOptionPreventsStatement = 1290;  // --read-only
constexpr uint16_t kErrorQueryInterrupted = 1317;
constexpr uint16_t kErrorMalformedPacket = 1835;
constexpr uint16_t kErrorReadOnlyTransaction = 1792;
constexpr uint16_t kErrorReadOnlyMode = 1836;
constexpr uint16_t kErrorConnectionKilled = 1927;
constexpr uint16_t kErrorStatementTimeout = 1969;
constexpr uint16_t kErrorServerGone = 2006;
constexpr uint16_t kErrorServerLost = 2013;
constexpr uint16_t kErrorAccountLocked = 4151;
constexpr uint16_t kErrorTooManyPasswordErrors = 4150;
// No error: a progress report within a response, where kProgress was agreed on.
constexpr uint16_t kErrorProgressReport = 0xFFFF;

// The five characters that MariaDB sends with the number; "HY000" for all without one of their own.
[[nodiscard]] std::string_view sqlstate_of(uint16_t error);

// The name that a command has in the documentation, as "COM_QUERY"; "unknown command" for other bytes.
[[nodiscard]] std::string_view command_name(Command command);

}  // namespace mysql

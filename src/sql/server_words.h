// What the floor below says of database servers, in this tier's own words.
#pragma once

#include "mariadb/kept_connection.h"
#include "mariadb/query_reader.h"
#include "mariadb/server_connection.h"

namespace sql {

using mariadb::failure_of;
using mariadb::LoginAccount;
using mariadb::QueryAnswer;
using mariadb::QueryBounds;
using mariadb::QueryProgress;
using mariadb::QueryReader;
using mariadb::QueryResult;
using mariadb::ServerCommand;
using mariadb::ServerConnection;
using mariadb::ServerFailure;
using mariadb::ServerLogin;
using mariadb::ServerResult;

}  // namespace sql

#pragma once
#include "experiment/sqlite.h"

namespace kvmend {

/// "KVMD": tells our files from other SQLite databases.
inline constexpr int store_application_id = 0x4B564D44;
/// Goes up with every change of the tables below.
inline constexpr int store_schema_version = 2;

/// Makes the tables, indices and views of an empty database, in one transaction.
void create_store_schema(Database& database);

/// Throws Error(data) if the database is foreign, of a newer kvmend, or of an older one that cannot be read any more.
void check_store_schema(Database& database);

}  // namespace kvmend

#pragma once
#include "experiment/store/sqlite.h"

namespace kvmend {

/// "KVMD": tells our files from other SQLite databases.
inline constexpr int store_application_id = 0x4B564D44;
/// Goes up with every change of the tables: 3 added redacted_tasks, so that an older kvmend, which would add their texts, keeps
/// away from such a store.
inline constexpr int store_schema_version = 3;
inline constexpr int redacting_schema_version = 3;
/// The oldest that can be read as it is, and brought up to date by whoever writes.
inline constexpr int oldest_schema_version = 2;

/// Makes the tables, indices and views of an empty database, in one transaction.
void create_store_schema(Database& database);

/// Throws Error(data) if the database is foreign, of a newer kvmend, or of an older one that cannot be read any more.
void check_store_schema(Database& database);

/// Brings an older version that passed check_store_schema up to date, in one transaction. Tasks that --redact had left without
/// texts before there was a list of them are listed, and lose what texts they got since. Throws Error(data).
void migrate_store_schema(Database& database);

}  // namespace kvmend

#include "experiment/store/schema.h"

#include "core/error.h"
#include "experiment/store/redact.h"

namespace kvmend {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE runs (
  run INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  config TEXT NOT NULL,           -- as written
  canonical TEXT NOT NULL,        -- JSON, every default filled in
  models TEXT NOT NULL,           -- JSON: hashes of models and data
  version TEXT NOT NULL,
  build TEXT NOT NULL,
  host TEXT NOT NULL,
  device TEXT NOT NULL,
  backend TEXT NOT NULL,
  command TEXT NOT NULL,
  threads INTEGER NOT NULL,
  started REAL NOT NULL,          -- Unix seconds
  finished REAL,
  status TEXT NOT NULL
);
CREATE TABLE cells (
  cell INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,       -- SHA-256 of canonical, 32 digits
  prompts TEXT NOT NULL,          -- cells that share it share their samples
  canonical TEXT NOT NULL,        -- JSON of everything the results depend on
  strategy TEXT NOT NULL,
  label TEXT NOT NULL,
  series TEXT NOT NULL,           -- the label without its seed
  params TEXT NOT NULL,
  ratio REAL,
  task TEXT NOT NULL,
  task_params TEXT NOT NULL,
  model TEXT NOT NULL,
  weights TEXT NOT NULL,
  chunker TEXT NOT NULL,
  dtype TEXT NOT NULL,
  backend TEXT NOT NULL,
  chat TEXT NOT NULL,
  load_from TEXT NOT NULL,
  tokenize TEXT NOT NULL
);
CREATE TABLE run_cells (
  run INTEGER NOT NULL REFERENCES runs,
  cell INTEGER NOT NULL REFERENCES cells,
  samples INTEGER NOT NULL,       -- wanted by the run
  PRIMARY KEY (run, cell)
) WITHOUT ROWID;
CREATE TABLE samples (
  sample INTEGER PRIMARY KEY,
  prompts TEXT NOT NULL,
  position INTEGER NOT NULL,      -- i of the task's sample i
  id TEXT NOT NULL,
  cluster TEXT NOT NULL,          -- samples of one question
  metric TEXT NOT NULL,
  prompt_hash TEXT NOT NULL,
  answers TEXT NOT NULL,          -- JSON list of references
  all_classes TEXT NOT NULL,      -- JSON list
  stop TEXT NOT NULL,             -- JSON list
  max_new_tokens INTEGER NOT NULL,
  units TEXT NOT NULL,            -- JSON [[kind, begin, end]], context tokens
  evidence TEXT NOT NULL,         -- JSON [[begin, end]], context tokens
  n_context INTEGER NOT NULL,
  n_query INTEGER NOT NULL,
  question_begin INTEGER NOT NULL,
  question_end INTEGER NOT NULL,
  text BLOB NOT NULL,             -- the prompt: its size as a varint, then zlib
  tokens BLOB NOT NULL,           -- ids and byte spans, packed
  UNIQUE (prompts, position)
);
CREATE TABLE results (
  result INTEGER PRIMARY KEY,
  cell INTEGER NOT NULL REFERENCES cells,
  sample INTEGER NOT NULL REFERENCES samples,
  run INTEGER NOT NULL REFERENCES runs,
  status TEXT NOT NULL CHECK (status IN ('ok', 'failed')),
  error TEXT NOT NULL,
  prediction TEXT NOT NULL,
  prediction_ids TEXT NOT NULL,   -- JSON list
  first_token INTEGER NOT NULL,
  chunk_order TEXT NOT NULL,      -- JSON list of chunk numbers where the plan reordered them, else empty
  score REAL,                     -- null where it failed
  layer_tokens INTEGER NOT NULL,
  effective_ratio REAL NOT NULL,
  exact_selected INTEGER NOT NULL,
  flops REAL NOT NULL,
  flops_ratio REAL NOT NULL,
  bytes REAL NOT NULL,
  flops_decode REAL NOT NULL,     -- of recomputation while decoding
  seconds_load REAL NOT NULL,
  seconds_place REAL NOT NULL,
  seconds_select REAL NOT NULL,
  seconds_recompute REAL NOT NULL,
  seconds_query REAL NOT NULL,
  seconds_first_token REAL NOT NULL,
  seconds_decode REAL NOT NULL,
  shared_timing INTEGER NOT NULL,
  UNIQUE (cell, sample)
);
CREATE INDEX results_by_sample ON results (sample);
CREATE TABLE selections (
  result INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('selected', 'original', 'kept', 'query', 'decode')),
  layer INTEGER NOT NULL,         -- -1: every layer
  n INTEGER NOT NULL,             -- tokens the bitmap is over
  chosen INTEGER NOT NULL,        -- bits set
  bitmap BLOB NOT NULL,           -- bit i of byte i/8, packed as samples.text is
  PRIMARY KEY (result, kind, layer)
) WITHOUT ROWID;
CREATE TABLE scores (
  result INTEGER PRIMARY KEY REFERENCES results ON DELETE CASCADE,
  n INTEGER NOT NULL,
  half BLOB NOT NULL              -- float32 scale, float16 values, packed as samples.text is
);
)sql";

constexpr const char* redactions = R"sql(
CREATE TABLE redacted_tasks (
  task TEXT PRIMARY KEY           -- its samples have no texts and token ids, and get none
) WITHOUT ROWID;
)sql";

constexpr const char* views = R"sql(
CREATE VIEW everything AS
  SELECT c.label AS strategy, c.series, c.ratio, c.task, c.model, c.chunker, c.dtype, c.backend,
         s.id AS sample, s.position, s.cluster, s.answers, r.prediction, r.score, r.status, r.error,
         r.effective_ratio, r.layer_tokens, r.flops, r.flops_ratio, r.bytes,
         r.seconds_load + r.seconds_place + r.seconds_select + r.seconds_recompute + r.seconds_query +
           r.seconds_first_token AS ttft,
         r.seconds_load, r.seconds_place, r.seconds_select, r.seconds_recompute, r.seconds_query,
         r.seconds_first_token, r.seconds_decode, r.shared_timing, runs.name AS run, c.key AS cell_key
  FROM results r JOIN cells c USING (cell) JOIN samples s USING (sample) JOIN runs USING (run);
CREATE VIEW means AS
  SELECT strategy, ratio, task, model, chunker, count(*) AS n, avg(score) AS score,
         avg(effective_ratio) AS effective_ratio, avg(flops_ratio) AS flops_ratio
  FROM everything WHERE status = 'ok' GROUP BY cell_key;
CREATE VIEW failures AS
  SELECT strategy, ratio, task, model, chunker, sample, error FROM everything WHERE status = 'failed';
)sql";

void set_version(Database& database) {
  database.execute(fmt::format("PRAGMA user_version = {}", store_schema_version));
}

}  // namespace

void create_store_schema(Database& database) {
  Transaction transaction(database);
  database.execute(tables);
  database.execute(redactions);
  database.execute(views);
  database.execute(fmt::format("PRAGMA application_id = {}", store_application_id));
  set_version(database);
  transaction.commit();
}

void check_store_schema(Database& database) {
  const std::string file = database.path().string();
  const auto id = database.integer("PRAGMA application_id");
  const auto version = database.integer("PRAGMA user_version");
  if (id != store_application_id)
    fail(ErrorKind::data, "{}: is no kvmend store (another program's SQLite database)", file);
  if (version > store_schema_version) {
    fail(ErrorKind::data, "{}: written by a newer kvmend (store format {}, this one reads {} and {}); update kvmend",
         file, version, oldest_schema_version, store_schema_version);
  }
  if (version < oldest_schema_version) {
    fail(ErrorKind::data,
         "{}: written by an older kvmend (store format {}, this one reads {} and {}); run the config again", file,
         version, oldest_schema_version, store_schema_version);
  }
}

void migrate_store_schema(Database& database) {
  if (database.integer("PRAGMA user_version") == store_schema_version) return;
  const std::set<std::string> redacted = redacted_tasks(database);
  Transaction transaction(database);
  database.execute(redactions);
  record_redacted_tasks(database, redacted);
  set_version(database);
  transaction.commit();
  if (!redacted.empty()) database.execute("VACUUM");
}

}  // namespace kvmend

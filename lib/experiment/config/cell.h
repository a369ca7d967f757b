#pragma once
#include <map>
#include <optional>
#include <string>

#include "experiment/config/config.h"

namespace kvmend {

/// A model as cell keys know it.
struct ModelIdentity {
  std::string name;       ///< as the config writes it, for people; not hashed
  std::string weights;    ///< SHA-256 over the weight files
  std::string tokenizer;  ///< Tokenizer::fingerprint
  std::string chat;       ///< the chat format in use: "chatml", never "auto"
};

/// What the run learns when it opens the model and the data: the rest of every cell's key.
struct RunIdentity {
  ModelIdentity model;
  std::map<std::string, ModelIdentity> aux_models;  ///< by the name that strategies write
  std::string backend;                              ///< "cpu", "reference", "cuda"
  std::vector<std::string> task_data;               ///< Task::data_identity for each of Config::tasks
};

/// One cell of the grid: strategy variant × ratio × task × chunker, on the run's model. Indices into the Config.
struct Cell {
  int strategy = 0;
  std::optional<double> ratio;  ///< nullopt: the strategy has none
  int task = 0;
  int chunker = 0;
};

/// A cell's identity (DESIGN: idea 6). Two cells with the same key give the same results.
struct CellKey {
  Value canonical;      ///< everything the results depend on
  std::string key;      ///< 32 hex digits of the SHA-256 of canonical JSON
  std::string prompts;  ///< 32 hex digits: what the prompts depend on; cells that share it share their samples
};

/// Models that a strategy asks besides the one under test: those its selector names, and what a parameter `aux_model` says
/// even where it forgets to.
std::vector<std::string> auxiliary_models(const Strategy& strategy);

/// Throws Error(internal) if `identity` lacks the cell's task or auxiliary model.
CellKey cell_key(const Config& config, const Cell& cell, const RunIdentity& identity);

}  // namespace kvmend

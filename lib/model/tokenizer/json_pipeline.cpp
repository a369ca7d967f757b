// Tokenizers out of tokenizer.json, which describes its pipeline part by part.
#include <algorithm>

#include "core/error.h"
#include "model/in_quotes.h"
#include "model/tokenizer/json_components.h"
#include "model/tokenizer/vocabulary.h"

namespace kvmend {
namespace {

std::vector<bool> read_vocabulary(const JsonField& model, Vocabulary& vocabulary) {
  const JsonField vocab = model.at("vocab");
  for (const auto& [text, id] : vocab.object().items()) {
    if (!id.is_number_integer()) vocab.refuse(fmt::format("the id of {} is no integer", in_quotes(text)));
    vocabulary.add(JsonField(id, vocab.place()).integer(), text);
  }
  if (vocabulary.texts().empty()) vocab.refuse("is empty");
  return vocabulary.known();
}

void read_merges(const JsonField& merges, const Vocabulary& vocabulary, Bpe& bpe) {
  const std::vector<JsonField> list = merges.list();
  bpe.merges.reserve(list.size());
  for (std::size_t rank = 0; rank < list.size(); ++rank) {
    if (list[rank].is_string()) {
      const std::string merge = list[rank].text();
      const std::size_t space = merge.find(' ');
      if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
        list[rank].refuse(fmt::format("{} is not two tokens with a space between", in_quotes(merge)));
      }
      const std::string_view view = merge;
      add_merge(bpe, vocabulary, view.substr(0, space), view.substr(space + 1), static_cast<std::uint32_t>(rank));
    } else {
      const std::vector<JsonField> pair = list[rank].list();
      if (pair.size() != 2) list[rank].refuse("a merge has two tokens");
      add_merge(bpe, vocabulary, pair[0].text(), pair[1].text(), static_cast<std::uint32_t>(rank));
    }
  }
}

void read_added(const JsonField& list, Pipeline& pipeline, Vocabulary& vocabulary) {
  if (list.is_null()) return;
  for (const JsonField& field : list.list()) {
    AddedToken token;
    token.content = field.at("content").text();
    const std::int64_t id = field.at("id").integer();
    vocabulary.add(id, token.content);
    token.id = static_cast<std::int32_t>(id);
    token.special = field.flag("special", false);
    token.single_word = field.flag("single_word", false);
    token.lstrip = field.flag("lstrip", false);
    token.rstrip = field.flag("rstrip", false);
    token.normalized = field.flag("normalized", !token.special);
    pipeline.added.push_back(std::move(token));
  }
}

void read_model_flags(const JsonField& model, Bpe& bpe) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const JsonField affix = model.get(key);
    if (!affix.is_null() && !affix.text().empty()) affix.refuse("affixes of subwords are not supported");
  }
  if (const JsonField dropout = model.get("dropout"); !dropout.is_null()) {
    dropout.refuse("a tokenizer that drops merges at random has no fixed ids; set it to null");
  }
  bpe.byte_fallback = model.flag("byte_fallback", false);
  bpe.fuse_unknown = model.flag("fuse_unk", false);
  bpe.ignore_merges = model.flag("ignore_merges", false);
}

/// tokenizer_config.json names tokens by text, or by an object with their content.
int token_of(const JsonField& field, const Vocabulary& vocabulary) {
  if (field.is_null()) return -1;
  const std::string text = field.is_object() ? field.at("content").text() : field.text();
  const std::int32_t id = vocabulary.find(text);
  if (id < 0) field.refuse(fmt::format("names the token {}, which the vocabulary lacks", in_quotes(text)));
  return id;
}

/// BOS and EOS: tokenizer_config.json wins, then the model's other files (`source`), then the post-processor.
void set_ends(const TokenizerSource& source, const JsonField& root, const Vocabulary& vocabulary, Pipeline& pipeline) {
  const auto given = [&](int id, const char* name) {
    if (id >= 0 && !vocabulary.contains_id(id)) {
      root.refuse(fmt::format("the model's {} token {} is not in the vocabulary", name, id));
    }
    return id;
  };
  const Ends ends = read_ends(root.get("post_processor"));
  pipeline.add_bos = !ends.leading.empty();
  pipeline.bos = given(source.bos, "BOS");
  pipeline.eos = given(source.eos, "EOS");
  pipeline.stops = {pipeline.eos, given(source.eot, "end-of-turn")};
  if (!ends.leading.empty()) pipeline.bos = vocabulary.at(ends.leading, "the post-processor");
  if (pipeline.eos < 0 && !ends.trailing.empty()) pipeline.eos = vocabulary.at(ends.trailing, "the post-processor");
  const std::filesystem::path config_path = source.json_path.parent_path() / "tokenizer_config.json";
  if (!std::filesystem::exists(config_path)) return;
  const nlohmann::json content = read_json(config_path);
  const JsonField config(content, config_path.string() + ": ");
  if (const int bos = token_of(config.get("bos_token"), vocabulary); bos >= 0) pipeline.bos = bos;
  if (const int eos = token_of(config.get("eos_token"), vocabulary); eos >= 0) pipeline.eos = eos;
  pipeline.add_bos = config.flag("add_bos_token", pipeline.add_bos);
  pipeline.stops.push_back(pipeline.eos);
}

/// Tokens that go on inside a word begin with a mark.
WordPiece read_word_piece(const JsonField& model, const Vocabulary& vocabulary, const std::vector<bool>& in_model) {
  WordPiece out;
  const std::string mark = model.at("continuing_subword_prefix").text();
  if (mark.empty()) model.at("continuing_subword_prefix").refuse("is empty");
  out.unknown = vocabulary.at(model.at("unk_token").text(), "unk_token");
  out.most_characters = static_cast<std::size_t>(model.at("max_input_chars_per_word").integer());
  for (std::size_t id = 0; id < in_model.size(); ++id) {
    if (!in_model[id]) continue;
    const std::string& text = vocabulary.texts()[id];
    if (text.starts_with(mark)) out.add_inside(text.substr(mark.size()), static_cast<std::int32_t>(id));
    out.add_start(text, static_cast<std::int32_t>(id));
  }
  return out;
}

void set_unknown(const JsonField& model, const Vocabulary& vocabulary, Bpe& bpe) {
  const JsonField token = model.get("unk_token");
  if (token.is_null() || token.text().empty()) return;
  bpe.unknown = vocabulary.at(token.text(), "unk_token");
}

}  // namespace

Pipeline read_json_pipeline(const TokenizerSource& source) {
  const nlohmann::json content = read_json(source.json_path);
  const JsonField root(content, source.json_path.string() + ": ");
  Pipeline pipeline;
  JsonTraits traits;
  pipeline.normalizer = read_normalizer(root.get("normalizer"), traits);
  pipeline.pre_tokenizer = read_pre_tokenizer(root.get("pre_tokenizer"), traits);
  check_decoder(root.get("decoder"));

  Bpe& bpe = pipeline.bpe;
  const JsonField model = root.at("model");
  const bool words = model.type("model", {"BPE", "WordPiece"}) == "WordPiece";
  Vocabulary vocabulary(source.json_path.string());
  const std::vector<bool> in_model = read_vocabulary(model, vocabulary);
  if (words) {
    pipeline.word_piece = read_word_piece(model, vocabulary, in_model);
    read_added(root.get("added_tokens"), pipeline, vocabulary);
    set_word_bytes(pipeline, vocabulary, model.at("continuing_subword_prefix").text());
    set_ends(source, root, vocabulary, pipeline);
    return pipeline;
  }
  read_model_flags(model, bpe);
  bpe.byte_level = traits.byte_level;
  read_merges(model.at("merges"), vocabulary, bpe);
  read_added(root.get("added_tokens"), pipeline, vocabulary);
  std::vector<bool> plain = in_model;
  plain.resize(vocabulary.texts().size());
  set_unknown(model, vocabulary, bpe);
  set_symbols(bpe, vocabulary, plain);
  bpe.find_cuts([&](std::int32_t id) { return std::string_view(vocabulary.texts()[static_cast<std::size_t>(id)]); });
  set_token_bytes(pipeline, vocabulary, traits.space_mark);
  pipeline.strips_space = traits.strips_space;
  pipeline.every_section = traits.every_section;
  set_ends(source, root, vocabulary, pipeline);
  return pipeline;
}

}  // namespace kvmend

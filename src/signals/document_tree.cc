// SPDX-License-Identifier: Apache-2.0
#include "signals/document_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <boost/json.hpp>
#include <exception>
#include <map>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

Error Invalid(int line, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_DOCUMENT", absl::StrCat(line, ": ", AbslView(why)))
      .Hint("send YAML or JSON");
}

// What the handler refuses; it goes no further than ParseDocuments.
struct Refused : std::exception {
  Refused(int at, std::string reason) : line(at), why(std::move(reason)) {}
  int line;
  std::string why;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  std::vector<DocumentNode> TakeDocuments() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark&) override {
    open_.clear();
    anchors_.clear();
    root_ = DocumentNode();
  }
  void OnDocumentEnd() override {
    if (root_.kind == DocumentNode::Kind::kNull) return;
    if (documents_.size() == DocumentNode::kMaxDocuments) {
      throw Refused(root_.line, absl::StrCat("there are more than ", DocumentNode::kMaxDocuments, " documents"));
    }
    documents_.push_back(std::move(root_));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Take(Make(mark, DocumentNode::Kind::kNull), anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused(mark.line + 1, "an alias of something that is not complete");
    Count(found->second.Count(), mark.line + 1);
    Take(found->second, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    DocumentNode node = Make(mark, DocumentNode::Kind::kScalar);
    node.quoted = tag != "?";
    node.text = value;
    if (!node.quoted && (value.empty() || value == "~" || value == "null")) node.kind = DocumentNode::Kind::kNull;
    Take(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Begin(Make(mark, DocumentNode::Kind::kList), anchor);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Begin(Make(mark, DocumentNode::Kind::kMap), anchor);
  }
  void OnMapEnd() override { End(); }

 private:
  struct Open {
    DocumentNode node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key = {};
  };

  void Count(size_t nodes, int line) {
    nodes_ += nodes;
    if (nodes_ > DocumentNode::kMaxNodes) {
      throw Refused(line, absl::StrCat("there are more than ", DocumentNode::kMaxNodes, " values, aliases included"));
    }
  }
  DocumentNode Make(const YAML::Mark& mark, DocumentNode::Kind kind) {
    Count(1, mark.line + 1);
    DocumentNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }
  void Begin(DocumentNode node, YAML::anchor_t anchor) {
    if (open_.size() == DocumentNode::kMaxDepth) {
      throw Refused(node.line, absl::StrCat("it is deeper than ", DocumentNode::kMaxDepth, " levels"));
    }
    open_.push_back({std::move(node), anchor});
  }
  void End() {
    Open done = std::move(open_.back());
    open_.pop_back();
    Take(std::move(done.node), done.anchor);
  }
  void Take(DocumentNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      Count(node.Count(), node.line);  // the copy that is kept for its aliases
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == DocumentNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind != DocumentNode::Kind::kScalar) throw Refused(node.line, "a key is not text");
      parent.key = std::move(node.text);
      parent.has_key = true;
    } else {
      parent.has_key = false;
      AddMember(&parent.node, std::move(parent.key), std::move(node));
    }
  }
  // "<<" takes over what the map does not have itself.
  static void AddMember(DocumentNode* map, std::string key, DocumentNode node) {
    if (key == "<<" && node.kind == DocumentNode::Kind::kMap) {
      for (auto& [name, value] : node.members) {
        if (map->Find(name) == nullptr) map->members.emplace_back(name, std::move(value));
      }
      return;
    }
    if (key.size() > DocumentNode::kMaxKeyBytes) {
      throw Refused(node.line, absl::StrCat("\"", Excerpt(key), "\" is a key of more than ", DocumentNode::kMaxKeyBytes, " bytes"));
    }
    if (map->members.size() == DocumentNode::kMaxMembers) {
      throw Refused(node.line, absl::StrCat("a map has more than ", DocumentNode::kMaxMembers, " members"));
    }
    const DocumentNode* const before = map->Find(key);
    if (before != nullptr) throw Refused(node.line, absl::StrCat("\"", Excerpt(key), "\" is there twice, first in line ", before->line));
    map->members.emplace_back(std::move(key), std::move(node));
  }

  std::vector<DocumentNode> documents_;
  DocumentNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, DocumentNode> anchors_;  // of the document
  size_t nodes_ = 0;
};

// Whether plain text is a number, true or false in JSON too.
bool IsJsonScalar(const std::string& text) {
  if (text == "true" || text == "false") return true;
  const bool plain = !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (!plain) return false;
  boost::system::error_code failed;
  boost::json::parse(text, failed);
  return !failed;
}

void AppendJson(const DocumentNode& node, std::string* json) {
  auto text = [json](const std::string& value) { *json += boost::json::serialize(boost::json::string(value)); };
  const char* separator = "";
  switch (node.kind) {
    case DocumentNode::Kind::kNull: *json += "null"; return;
    case DocumentNode::Kind::kScalar:
      if (!node.quoted && IsJsonScalar(node.text)) {
        *json += node.text;
      } else {
        text(node.text);
      }
      return;
    case DocumentNode::Kind::kList:
      json->push_back('[');
      for (const DocumentNode& item : node.items) {
        *json += separator;
        AppendJson(item, json);
        separator = ",";
      }
      json->push_back(']');
      return;
    case DocumentNode::Kind::kMap:
      json->push_back('{');
      for (const auto& [name, value] : node.members) {
        *json += separator;
        text(name);
        *json += ": ";  // YAML wants the space
        AppendJson(value, json);
        separator = ",";
      }
      json->push_back('}');
      return;
  }
}

}  // namespace

const DocumentNode* DocumentNode::Find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

size_t DocumentNode::Count() const {
  size_t count = 1 + text.size() / kCountedBytes;
  for (const DocumentNode& item : items) count += item.Count();
  for (const auto& [name, value] : members) count += value.Count() + name.size() / kCountedBytes;
  return count;
}

absl::StatusOr<std::vector<DocumentNode>> ParseDocuments(std::string_view text) {
  if (text.size() > DocumentNode::kMaxTextBytes) {
    return Invalid(1, absl::StrCat("it has ", text.size(), " bytes, and at most ", DocumentNode::kMaxTextBytes, " are taken"));
  }
  if (text.find('\0') != text.npos) return Invalid(1, "it has a byte of value 0");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.TakeDocuments();
  } catch (const Refused& refused) {
    return Invalid(refused.line, refused.why);
  } catch (const YAML::Exception& error) {
    return Invalid(error.mark.line + 1, absl::StrCat("it is no YAML: ", error.msg));
  } catch (const std::exception& error) {
    return Invalid(1, absl::StrCat("it is no YAML: ", error.what()));
  }
}

std::string ToJson(const DocumentNode& node) {
  std::string json;
  AppendJson(node, &json);
  return json;
}

}  // namespace gnomon

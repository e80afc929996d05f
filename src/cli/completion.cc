// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace gnomon {
namespace {

struct Word {
  std::string text, description;
};

struct Command {
  std::string path;  // "get pools"; empty for the root
  std::vector<Word> commands, options;
};

using Choices = std::map<std::string, std::vector<std::string>>;  // of "--output": table, json, ...

std::vector<std::string> OptionNames(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

// CLI11 shows the words that an option may be as its type: "TEXT:{bash,zsh,fish}".
std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  std::string type = option.get_type_name();
  size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

void Walk(const CLI::App& app, const std::string& path, const std::vector<Word>& inherited,
          std::vector<Command>* commands, Choices* choices) {
  Command command{path, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> words = ChoicesOf(*option);
    for (const std::string& name : OptionNames(*option)) {
      command.options.push_back({name, option->get_description()});
      if (!words.empty()) (*choices)[name] = words;
    }
    if (option->get_positional() && !words.empty()) {
      for (const std::string& word : words) command.commands.push_back({word, option->get_description()});
    }
  }
  for (const Word& option : inherited) {
    bool own = std::any_of(command.options.begin(), command.options.end(),
                           [&](const Word& word) { return word.text == option.text; });
    if (!own) command.options.push_back(option);
  }
  std::vector<const CLI::App*> children = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : children) command.commands.push_back({child->get_name(), child->get_description()});
  commands->push_back(command);
  std::vector<Word> handed_down = path.empty() ? command.options : inherited;
  // Of the root's, it is for the commands alone that declare it themselves.
  std::erase_if(handed_down, [](const Word& word) { return word.text == "--network" || word.text == "-n"; });
  for (const CLI::App* child : children) {
    Walk(*child, absl::StrCat(path, path.empty() ? "" : " ", child->get_name()), handed_down, commands, choices);
  }
}

std::string Texts(const std::vector<Word>& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const Word& word) { out->append(word.text); });
}

std::string Bash(const std::vector<Command>& commands, const Choices& choices) {
  std::string script =
      "_gnomon() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" path=\"\" words=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"${path:+$path }${COMP_WORDS[i]}\" in\n";
  std::vector<std::string> paths;
  for (const Command& command : commands) {
    if (!command.path.empty()) paths.push_back(absl::StrCat("\"", command.path, "\""));
  }
  absl::StrAppend(&script, "      ", absl::StrJoin(paths, "|"), ") path=\"${path:+$path }${COMP_WORDS[i]}\" ;;\n",
                  "    esac\n  done\n  case \"$prev\" in\n");
  for (const auto& [option, words] : choices) {
    if (!option.starts_with('-')) continue;
    absl::StrAppend(&script, "    ", option, ") words=\"", absl::StrJoin(words, " "), "\" ;;\n");
  }
  script += "  esac\n  if [[ -z \"$words\" ]]; then case \"$path\" in\n";
  for (const Command& command : commands) {
    absl::StrAppend(&script, "    \"", command.path, "\") if [[ \"$cur\" == -* ]]; then words=\"",
                    Texts(command.options), "\"; else words=\"", Texts(command.commands), "\"; fi ;;\n");
  }
  return script +
         "  esac; fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o default -F _gnomon gnomon\n";
}

std::string FishQuote(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string Fish(const std::vector<Command>& commands, const Choices& choices) {
  std::string script =
      "function __gnomon_at\n"
      "    set -l words (commandline -opc | string match -v -- '-*')\n"
      "    test \"$words[2..-1]\" = \"$argv\"\n"
      "end\n"
      "function __gnomon_in\n"
      "    set -l words (commandline -opc | string match -v -- '-*')\n"
      "    string match -q -- \"$argv*\" \"$words[2..-1]\"\n"
      "end\n";
  for (const Command& command : commands) {
    for (const Word& word : command.commands) {
      absl::StrAppend(&script, "complete -c gnomon -f -n '__gnomon_at ", command.path, "' -a ", FishQuote(word.text),
                      " -d ", FishQuote(word.description), "\n");
    }
    for (const Word& option : command.options) {
      bool is_long = option.text.starts_with("--");
      absl::StrAppend(&script, "complete -c gnomon -n '__gnomon_in ", command.path, "' ", is_long ? "-l " : "-s ",
                      option.text.substr(is_long ? 2 : 1), " -d ", FishQuote(option.description));
      auto found = choices.find(option.text);
      if (found != choices.end()) absl::StrAppend(&script, " -x -a ", FishQuote(absl::StrJoin(found->second, " ")));
      script += "\n";
    }
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& root, std::string_view shell) {
  std::vector<Command> commands;
  Choices choices;
  Walk(root, "", {}, &commands, &choices);
  if (shell == "fish") return Fish(commands, choices);
  std::string bash = Bash(commands, choices);
  if (shell == "bash") return bash;
  return absl::StrCat("#compdef gnomon\nautoload -U +X bashcompinit && bashcompinit\n", bash);
}

}  // namespace gnomon

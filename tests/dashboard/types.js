// Checks the types of the page, which are comments in its sources, against docs/openapi.json. `npm
// run types` runs it.
//
// It is the TypeScript compiler with tsconfig.json, except for three things. A path with variable
// segments, ``path`/v1/members/${id}` ``, is read as `path("/v1/members/{}", id)`, because only
// then its result has a type. In `pages`, which are mostly small functions that call one another,
// parameters may have no type. And a promise that is not awaited is an error, unless `void` marks
// that its failure is irrelevant or handled elsewhere.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import openapi, { astToString } from "openapi-typescript";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GENERATED = path.join(ROOT, "target/dashboard/openapi.d.ts");
/** Errors about a type that is neither written nor inferred. */
const IMPLICIT = new Set([7005, 7006, 7018, 7019, 7031, 7034, 7053]);
/** The folder in which they are allowed. */
const LOOSE = /\/assets\/(pages\/|main\.js$)/;

/** Writes the types of the API. Its file stays unchanged, time included, if nothing changed. */
async function generate() {
  const document = JSON.parse(await readFile(path.join(ROOT, "docs/openapi.json"), "utf8"));
  const text = astToString(await openapi(document, { silent: true }));
  await mkdir(path.dirname(GENERATED), { recursive: true });
  const before = await readFile(GENERATED, "utf8").catch(() => null);
  if (text !== before) await writeFile(GENERATED, text);
}

/** Calls back with each node below one, the innermost last. */
function walk(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** The source with its paths as calls. Line numbers stay the same. */
function withPaths(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest);
  const edits = [];
  walk(source, (node) => {
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText(source) === "path") {
      const call = asCall(node.template, source);
      edits.unshift({ from: node.getStart(source), to: node.end, call });
    }
  });
  return edits.reduce(
    (whole, { from, to, call }) => whole.slice(0, from) + call + whole.slice(to),
    text,
  );
}

function asCall(template, source) {
  const spans = ts.isTemplateExpression(template) ? template.templateSpans : [];
  const head = spans.length > 0 ? template.head.text : template.text;
  const shape = spans.reduce((whole, { literal }) => `${whole}{}${literal.text}`, head);
  const segments = spans.map(({ expression }) => expression.getText(source));
  return `path(${[JSON.stringify(shape), ...segments].join(", ")})`;
}

function compile() {
  const config = ts.readConfigFile(path.join(ROOT, "tsconfig.json"), ts.sys.readFile).config;
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const read = host.readFile;
  host.readFile = (name) => {
    const text = read(name);
    return name.endsWith(".js") && text?.includes("path`") ? withPaths(name, text) : text;
  };
  return ts.createProgram(fileNames, options, host);
}

/** Statements that are a promise. */
function forgotten(program) {
  const checker = program.getTypeChecker();
  const found = [];
  for (const file of program.getSourceFiles().filter((each) => !each.isDeclarationFile)) {
    walk(file, (node) => {
      if (!ts.isExpressionStatement(node)) return;
      const type = checker.getTypeAtLocation(node.expression);
      if (!checker.getPropertyOfType(type, "then")) return;
      found.push({
        category: ts.DiagnosticCategory.Error,
        code: 1,
        file,
        start: node.getStart(),
        length: node.getWidth(),
        messageText: "Nobody waits for this promise: await it, or write void before it.",
      });
    });
  }
  return found;
}

await generate();
const program = compile();
const problems = [...ts.getPreEmitDiagnostics(program), ...forgotten(program)].filter(
  ({ code, file }) => !(IMPLICIT.has(code) && LOOSE.test(file?.fileName ?? "")),
);
process.stdout.write(
  ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => "\n",
  }),
);
process.exitCode = problems.length > 0 ? 1 : 0;

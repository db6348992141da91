// The linter of the dashboard's JavaScript: rules that find mistakes. Prettier does the layout, and
// the type checker finds unknown names.

import js from "@eslint/js";

/** What a text from the API could become markup or code by. The policy of the page forbids some. */
const INJECTIONS = [
  ["AssignmentExpression > MemberExpression.left[property.name=/^(inner|outer)HTML$/]", "markup"],
  ["CallExpression[callee.property.name=/^(insertAdjacentHTML|setHTMLUnsafe)$/]", "markup"],
  ["CallExpression[callee.object.name='document'][callee.property.name=/^write(ln)?$/]", "markup"],
  ["CallExpression[callee.property.name='createContextualFragment']", "markup"],
  ["CallExpression[callee.property.name='setAttribute'] > Literal[value=/^on/]", "code"],
];

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off",
      "no-unused-vars": ["error", { args: "after-used", caughtErrors: "none" }],
      "array-callback-return": "error",
      eqeqeq: "error",
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
      "no-constructor-return": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-new-wrappers": "error",
      "no-promise-executor-return": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-throw-literal": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "prefer-const": "error",
      "prefer-promise-reject-errors": "error",
      radix: "error",
    },
  },
  {
    files: ["src/http/dashboard/**"],
    rules: {
      "no-alert": "error",
      "no-console": ["error", { allow: ["error"] }],
      "no-script-url": "error",
      "no-restricted-syntax": [
        "error",
        ...INJECTIONS.map(([selector, what]) => ({
          selector,
          message: `A text could become ${what} here: build elements with h() of lib/dom.js.`,
        })),
      ],
    },
  },
];

// What each exported function of src/engine/mm says about the kernel: @kernel, @model, @simplifies of its docstring.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

function sourcesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesUnder(path)
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : []
  })
}

const isExported = (node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0

/** Exported functions, written either way; constants and types carry the kernel's names and need no tag. */
function exportedFunctions(source) {
  return source.statements.flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement) && isExported(statement))
      return [{ name: statement.name.text, node: statement }]
    if (!ts.isVariableStatement(statement)) return []
    return statement.declarationList.declarations
      .filter(
        (declaration) =>
          isExported(declaration) && declaration.initializer && ts.isArrowFunction(declaration.initializer),
      )
      .map((declaration) => ({ name: declaration.name.text, node: statement }))
  })
}

const textOf = (tag) => (ts.getTextOfJSDocComment(tag.comment) ?? '').replace(/\s+/g, ' ').trim()
const tagged = (tags, name) => tags.filter((tag) => tag.tagName.text === name).map(textOf)

/** A tag of the file's opening comment speaks for every function below that has none of its own. */
function tagsOfFile(source) {
  const comments = source.statements[0]?.jsDoc ?? []
  const tags = comments[0]?.tags ?? []
  return { kernel: tagged(tags, 'kernel'), model: tagged(tags, 'model'), simplifies: tagged(tags, 'simplifies') }
}

/**
 * @returns one row a function: { file, name, line, kernel, model, simplifies }, the last three lists of texts; what a
 *   file's opening comment simplifies is a row without a name
 */
export function kernelTags(root = 'src/engine/mm') {
  return sourcesUnder(root)
    .sort()
    .flatMap((file) => {
      const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
      const whole = tagsOfFile(source)
      const rows = exportedFunctions(source).map(({ name, node }) => {
        const tags = node.jsDoc?.at(-1)?.tags ?? []
        const own = { kernel: tagged(tags, 'kernel'), model: tagged(tags, 'model') }
        const { kernel, model } = own.kernel.length + own.model.length > 0 ? own : whole
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
        return { file, name, line, kernel, model, simplifies: tagged(tags, 'simplifies') }
      })
      return whole.simplifies.length > 0 ? [{ file, name: '', line: 1, ...whole }, ...rows] : rows
    })
}

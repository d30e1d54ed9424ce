/** The charts in view as one picture: PNG by canvas, SVG by the library's own renderer. */
import type { EChartsCoreOption } from '../../charts/canvas'
import { initChart } from '../../charts/canvas'
import type { ChartShelf } from '../../components/chart-shelf'
import type { ChartColors } from '../../charts/palette'

const TITLE_HEIGHT = 18
const GAP = 8
const PNG_SCALE = 2

interface PlacedChart {
  readonly title: string
  readonly y: number
  readonly width: number
  readonly height: number
  readonly option: EChartsCoreOption
}

function place(shelf: ChartShelf): { charts: readonly PlacedChart[]; width: number; height: number } {
  let y = GAP
  let width = 0
  const charts = [...shelf].map(([title, chart]) => {
    const size = chart.size()
    const placed = { title, y, ...size, option: chart.option() }
    y += TITLE_HEIGHT + size.height + GAP
    width = Math.max(width, size.width)
    return placed
  })
  return { charts, width: width + 2 * GAP, height: y }
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

export function timelineSvg(shelf: ChartShelf, colors: ChartColors, paper: string): string {
  const { charts, width, height } = place(shelf)
  const parts = charts.map(({ title, y, option, ...size }) => {
    const chart = initChart(null, undefined, { renderer: 'svg', ssr: true, ...size })
    chart.setOption(option)
    const svg = chart.renderToSVGString()
    chart.dispose()
    const head = `<text x="${GAP}" y="${y + 13}" font-family="sans-serif" font-size="11" font-weight="600" fill="${colors.ink}">${escape(title)}</text>`
    return `${head}<g transform="translate(${GAP} ${y + TITLE_HEIGHT})">${svg}</g>`
  })
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`
  return `${open}<rect width="${width}" height="${height}" fill="${paper}"/>${parts.join('')}</svg>`
}

export async function timelinePng(shelf: ChartShelf, colors: ChartColors, paper: string): Promise<Blob | undefined> {
  const { charts, width, height } = place(shelf)
  const canvas = document.createElement('canvas')
  canvas.width = width * PNG_SCALE
  canvas.height = height * PNG_SCALE
  const pen = canvas.getContext('2d')
  if (!pen) return undefined
  pen.scale(PNG_SCALE, PNG_SCALE)
  pen.fillStyle = paper
  pen.fillRect(0, 0, width, height)
  pen.fillStyle = colors.ink
  pen.font = `600 11px ${colors.font}`
  for (const { title, y, option, ...size } of charts) {
    pen.fillText(title, GAP, y + 13)
    const chart = initChart(document.createElement('div'), undefined, {
      renderer: 'canvas',
      devicePixelRatio: PNG_SCALE,
      ...size,
    })
    chart.setOption(option)
    pen.drawImage(chart.renderToCanvas({ pixelRatio: PNG_SCALE }), GAP, y + TITLE_HEIGHT, size.width, size.height)
    chart.dispose()
  }
  return new Promise((done) => canvas.toBlob((blob) => done(blob ?? undefined)))
}

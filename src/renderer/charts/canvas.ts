/** The parts of ECharts that the window uses, registered once. */
import { BarChart, CustomChart, LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent } from 'echarts/components'
import * as echarts from 'echarts/core'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'

echarts.use([BarChart, LineChart, CustomChart, GridComponent, AriaComponent, CanvasRenderer, SVGRenderer])

export { init as initChart } from 'echarts/core'
export type { ECharts, EChartsCoreOption } from 'echarts/core'

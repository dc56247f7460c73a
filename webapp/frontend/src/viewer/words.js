export const zh = {
  'View': '视图',
  'Zoom in': '放大',
  'Zoom out': '缩小',
  'Fit': '适应窗口',
  'Open {element}': '打开{element}',
  'no diagram to display': '文件里没有图形，只有流程定义，无法显示',
  'no process or collaboration to display': '文件里没有流程，无法显示',
};

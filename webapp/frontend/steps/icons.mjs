// One SVG sprite of the Tabler outline icons the pages use: <svg class="icon"><use href="…/icons.svg#inbox"/></svg>.
import fs from 'node:fs';
import path from 'node:path';

const NAMES = `
  activity adjustments-horizontal affiliate alert-circle alert-triangle apps arrow-back-up arrow-down arrow-forward
  arrow-forward-up arrow-left arrow-right arrow-up arrows-exchange arrows-maximize arrows-minimize
  bell bell-ringing bolt book briefcase building building-bank building-community
  calendar calendar-event calendar-time cash category certificate chart-bar chart-line chart-pie check checks
  chevron-down chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-x clipboard-list clock
  code coin columns copy cube database device-desktop device-floppy device-mobile dots dots-vertical download
  external-link eye eye-off file file-export file-import file-text files filter filter-off flag folder
  gauge git-branch git-fork grip-vertical hand-click heart-rate-monitor help hierarchy hierarchy-2 history home hourglass
  id-badge inbox info-circle key language layout-dashboard layout-kanban layout-sidebar-left-collapse
  layout-sidebar-left-expand link list list-check list-details loader-2 lock lock-open login logout
  mail mail-forward mail-opened map-pin menu-2 message message-2 message-circle messages minus moon note
  package paperclip password pencil phone phone-call phone-incoming phone-outgoing photo pin player-pause player-play
  player-stop plug plug-off plus point printer progress receipt receipt-2 refresh report report-money rocket rotate rubber-stamp
  search selector send server settings shield-check shield-lock shopping-cart signature sitemap sort-ascending
  sort-descending sparkles stack-2 star sun switch-horizontal table tag target template tool trash trending-up
  upload user user-check user-circle user-cog user-minus user-plus user-question user-share user-x users users-group users-plus
  versions wallet webhook world writing x zoom-in zoom-out
`.trim().split(/\s+/);

export function writeIcons(folder) {
  const symbols = NAMES.map(name => {
    const svg = fs.readFileSync(`node_modules/@tabler/icons/icons/outline/${name}.svg`, 'utf8');
    const drawing = svg.replace(/<!--[\s\S]*?-->/, '').replace(/^\s*<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '').replace(/\s+/g, ' ').trim();
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${drawing}</symbol>`;
  });
  const file = path.join(folder, 'icons.svg');
  fs.writeFileSync(file, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);
  return [{ file, packages: ['@tabler/icons'], note: `${NAMES.length} icons` }];
}

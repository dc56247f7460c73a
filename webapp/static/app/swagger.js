// The interface's description, drawn by the Swagger UI that Flask-AppBuilder brings along.
const place = document.getElementById('swagger-ui');
addEventListener('load', () => window.SwaggerUIBundle({ url: place.dataset.url, dom_id: '#swagger-ui', presets: [window.SwaggerUIBundle.presets.apis], layout: 'BaseLayout' }));

/** Services whose keys have no form of their own: the name of what holds one tells. */
// biome-ignore format: words
const names = [
  'adafruit', 'adobe', 'airtable', 'algolia', 'alibaba', 'amplitude', 'artifactory', 'asana', 'atlassian', 'auth0', 'aws', 'azure', 'beamer', 'bintray', 'bitbucket', 'bitly', 'bittrex',
  'cisco', 'clickup', 'cloudflare', 'cloudinary', 'codecov', 'codeclimate', 'cohere', 'coinbase', 'confluence', 'confluent', 'contentful', 'coveralls', 'datadog', 'ddog', 'dd_api', 'dd_app', 'deepl', 'discord',
  'docusign', 'droneci', 'dropbox', 'etsy', 'facebook', 'fastly', 'finicity', 'finnhub', 'firebase', 'flickr', 'foursquare', 'freshbooks', 'freshdesk', 'github', 'gitlab', 'gitter', 'gocardless', 'grafana', 'heroku',
  'hubspot', 'instagram', 'intercom', 'ipstack', 'jfrog', 'jira', 'kickbox', 'klaviyo', 'kraken', 'kucoin', 'launchdarkly', 'linear', 'linkedin', 'lob', 'looker', 'mailchimp', 'mailgun', 'mailjet', 'mapbox',
  'mattermost', 'mercadopago', 'messagebird', 'mistral', 'mixpanel', 'netlify', 'newrelic', 'new[-_]relic', 'nytimes', 'new[-_]york[-_]times', 'okta', 'onelogin', 'openai', 'opsgenie', 'pagerduty', 'paypal', 'plaid', 'planetscale', 'postmark',
  'privateai', 'pubnub', 'pusher', 'rapidapi', 'razorpay', 'rollbar', 'salesforce', 'segment', 'sendbird', 'sendgrid', 'sentry', 'shippo', 'shodan', 'sidekiq', 'bundle_enterprise', 'bundle_gems', 'slack', 'snyk', 'sonar', 'sonarqube', 'spotify',
  'square', 'squarespace', 'stripe', 'sumo', 'sumologic', 'teams', 'telegr', 'telegram', 'tiingo', 'travis', 'trello', 'twilio', 'twitch', 'twitter', 'typeform', 'unsplash', 'vercel', 'vonage', 'weatherapi', 'webflow', 'xero',
  'xray', 'yandex', 'zapier', 'zendesk', 'zoho', 'zoom', 'polygonscan', 'etherscan', 'infura', 'alchemy', 'moralis', 'authress', 'meraki', 'fastspring', 'harness', 'octopus', 'flutterwave', 'easypost', 'maxmind', 'cometbft', 'sourcegraph',
]

export const serviceWords = new RegExp(names.join('|'))
